import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KafkaLine } from '../../test/cluster/index.ts';
import { type Result, type Row, type Side, sides } from '../../test/judge/report.ts';
import { resultsFolder } from '../../test/runner/files.ts';
import type { provenance } from '../../test/runner/results.ts';
import type { Scene } from './scenes.ts';

/** One scene on one side, as it was run: a whole table takes long on a small machine, so that its parts may come from several runs. */
export interface Part extends ReturnType<typeof provenance> {
  readonly schema: 1;
  readonly scene: string;
  /** Of the scene as it was then. */
  readonly title: string;
  readonly side: Side;
  /** Where it began. */
  readonly kafka: KafkaLine;
  readonly result: Result;
}

const folder = join(resultsFolder, 'disruptions');
const fileOf = (side: Side, scene: string): string => join(folder, `${side}-${scene}.json`);

export function store(part: Part): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileOf(part.side, part.scene), `${JSON.stringify(part, undefined, 2)}\n`);
}

function load(side: Side, scene: string): Part | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(side, scene), 'utf8')) as Part;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The stored parts of these scenes; one of a scene that has become another since is left out. */
export const storedParts = (scenes: readonly Scene[]): Part[] =>
  scenes.flatMap(({ name, title }) =>
    sides.flatMap((side) => load(side, name) ?? []).filter((part) => part.title === title),
  );

/** What the table shows of these parts. */
export const rowsOf = (scenes: readonly Scene[], parts: readonly Part[]): Row[] =>
  scenes.flatMap(({ name, title }) => {
    const of = parts.filter(({ scene }) => scene === name);
    const results = Object.fromEntries(of.map(({ side, result }) => [side, result]));
    return of.length === 0 ? [] : [{ scene: title, results }];
  });

/** Which commits the parts ran on. */
export function originOf(parts: readonly Part[]): string {
  const by = new Map<string, string[]>();
  for (const { commit, clean, cores, memoryGib, side, scene } of parts) {
    const origin = `commit ${commit.slice(0, 12)}${clean ? '' : ' with uncommitted changes'}, ${cores} cores, ${memoryGib} GiB`;
    by.set(origin, [...(by.get(origin) ?? []), `${scene} ${side}`]);
  }
  return [...by].map(([origin, of]) => `${origin}: ${of.join(', ')}\n`).join('');
}

/** The same table for a reader of the repository. */
export function storeTable(text: string): string {
  const path = join(resultsFolder, 'disruptions.md');
  writeFileSync(path, `# Disruptions\n\n\`npm run bench:disruptions\`\n\n\`\`\`\n${text.trim()}\n\`\`\`\n`);
  return path;
}
