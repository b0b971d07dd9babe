import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The launcher's ConfigMap: named by its content, so that it can be immutable. */
export interface Launcher {
  name: string;
  /** `stop`: what the pod runs before it stops, from the fourth generation on. */
  data: { launch: string; stop?: string };
}

const scriptIn = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8');

function launcherOf(data: Launcher['data']): Launcher {
  const hash = createHash('sha256').update(data.launch);
  if (data.stop !== undefined) hash.update('\0').update(data.stop);
  return { name: `kafka-warden-launcher-${hash.digest('hex').slice(0, 10)}`, data };
}

const first = launcherOf({ launch: scriptIn('./launch.sh') });
const third = launcherOf({ launch: scriptIn('./launch.3.sh') });
const fourth = launcherOf({ launch: scriptIn('./launch.4.sh'), stop: scriptIn('./stop.sh') });

/** Launcher by generation. A published script is never edited: a change is a new file for a new generation. */
const byGeneration = new Map([
  [1, first],
  [2, first],
  [3, third],
  [4, fourth],
]);

/** The launcher that a generation's templates name. Throws for a generation that is not supported. */
export function launcherFor(generation: number): Launcher {
  const launcher = byGeneration.get(generation);
  if (launcher === undefined) throw new Error(`generation ${generation} has no launcher`);
  return launcher;
}

/** Whether a ConfigMap is the launcher of a generation that has the JVM look names up again after five seconds. */
export const looksNamesUp = (configMap: string): boolean =>
  [...byGeneration].some(([generation, { name }]) => generation >= 4 && name === configMap);

/** The launchers of all supported profile versions, each once. */
export const launchers = (): Launcher[] => [
  ...new Map([...byGeneration.values()].map((l) => [l.name, l])).values(),
];
