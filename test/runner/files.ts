import { globSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

const find = (patterns: readonly string[]): string[] =>
  globSync(patterns, { cwd: root })
    .map((file) => join(root, file))
    .sort();

/**
 * The files of `npm test`: `unit` files need nothing but this machine's Node and may run side by side; `loopback`
 * files start brokers on this machine's loopback, one file at a time; `serial` files share the test cluster and run one after
 * the other, in the order of their folders.
 */
export const suites = (): { unit: string[]; loopback: string[]; serial: string[] } => ({
  unit: find(['{certs,src,scripts,bench,demo,test/unit,test/runner,test/shapes,test/judge}/**/*.test.ts']),
  loopback: find(['test/loopback/**/*.kafka.test.ts']),
  serial: [
    ...find(['test/cluster/**/*.test.ts']),
    ...find(['test/cluster-tests/**/*.test.ts']),
    ...find(['test/journey/**/*.test.ts']),
  ],
});

/** The test files of one shard of `test/e2e`; empty when there is no such shard. */
export const shardFiles = (name: string): string[] =>
  /^[a-z0-9][a-z0-9-]*$/.test(name) ? find([`test/e2e/${name}/**/*.test.ts`]) : [];

/** The shards that exist, in order. */
export const shardNames = (): string[] => {
  try {
    return readdirSync(join(root, 'test/e2e'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && shardFiles(entry.name).length > 0)
      .map((entry) => entry.name)
      .sort();
  } catch {
    return [];
  }
};

/** A file's path as the reader types it: from the project's folder. */
export const shown = (file: string): string =>
  file.startsWith(`${root}/`) ? file.slice(root.length + 1) : file;

/** Where the results of the shards are kept. */
export const resultsFolder = join(root, 'test/results');
