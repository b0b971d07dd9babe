import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The launcher's ConfigMap: named by its content, so that it can be immutable. */
export interface Launcher {
  name: string;
  data: { launch: string };
}

function load(file: string): Launcher {
  const launch = readFileSync(new URL(file, import.meta.url), 'utf8');
  const hash = createHash('sha256').update(launch).digest('hex').slice(0, 10);
  return { name: `kafka-warden-launcher-${hash}`, data: { launch } };
}

const first = load('./launch.sh');
const third = load('./launch.3.sh');

/** Launcher by generation. A published script is never edited: a change is a new file for a new generation. */
const byGeneration = new Map([
  [1, first],
  [2, first],
  [3, third],
]);

/** The launcher that a generation's templates name. Throws for a generation that is not supported. */
export function launcherFor(generation: number): Launcher {
  const launcher = byGeneration.get(generation);
  if (launcher === undefined) throw new Error(`generation ${generation} has no launcher`);
  return launcher;
}

/** The launchers of all supported profile versions, each once. */
export const launchers = (): Launcher[] => [
  ...new Map([...byGeneration.values()].map((l) => [l.name, l])).values(),
];
