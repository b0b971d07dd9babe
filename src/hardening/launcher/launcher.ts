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

/** Launcher by profile version. A published version's script is never edited: a change is a new file for a new version. */
const byVersion = new Map([1, 2].map((version) => [version, load('./launch.sh')]));

/** The launcher that a profile version's template names. Throws for a version that is not supported. */
export function launcherFor(profileVersion: number): Launcher {
  const launcher = byVersion.get(profileVersion);
  if (launcher === undefined) throw new Error(`profile version ${profileVersion} has no launcher`);
  return launcher;
}

/** The launchers of all supported profile versions, each once. */
export const launchers = (): Launcher[] => [
  ...new Map([...byVersion.values()].map((l) => [l.name, l])).values(),
];
