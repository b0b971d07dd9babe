#!/usr/bin/env node
import { spawn } from 'node:child_process';
import nodeModule from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The oldest Node that the program runs on. */
const oldestMajor = 24;

/** The Node that the package brings along as a dependency; undefined where it was left out, as in the image. */
const bundledNode = (): string | undefined => {
  try {
    return nodeModule.createRequire(import.meta.url).resolve('node/bin/node');
  } catch {
    return undefined;
  }
};

/** Compiled code is kept among the user's own files: in a shared folder others could plant theirs. */
const codeCache = (): string =>
  join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kafka-warden-code');

/** Starts the program again with a newer Node, and ends as that one ends. */
const startAgain = (node: string): void => {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === null ? 1 : 130);
  });
};

if (Number(process.versions.node.split('.', 1)[0]) >= oldestMajor) {
  // By its name alone an older Node would refuse the import before it gets here.
  nodeModule.enableCompileCache(codeCache());
  const { run } = await import('./program.ts');
  process.exitCode = await run(process.argv.slice(2));
} else {
  const node = bundledNode();
  if (node !== undefined && node !== process.execPath) startAgain(node);
  else {
    console.error(`kafka-warden needs Node 24 and this is ${process.version}.`);
    process.exitCode = 2;
  }
}
