import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, readFile, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, startTimeOf } from './processes.ts';

/** What an artefact is made from (its hash) and how it is made, into an empty folder. */
export interface Recipe {
  name: string;
  /** Everything that the result depends on: versions, file hashes, hashes of other artefacts. */
  inputs: readonly string[];
  build(folder: string): Promise<void>;
}

const staleAfterMs = 7 * 24 * 3600 * 1000;

/** Where artefacts are kept, outside the checkout: `KAFKA_WARDEN_CACHE`, else `~/.cache/kafka-warden`. */
export function cacheRoot(): string {
  return process.env['KAFKA_WARDEN_CACHE'] ?? join(homedir(), '.cache', 'kafka-warden');
}

/** The folder that holds, or will hold, a recipe's result. */
export function artefactPath(recipe: Recipe): string {
  const hash = createHash('sha256').update(JSON.stringify(recipe.inputs)).digest('hex').slice(0, 16);
  return join(cacheRoot(), `${recipe.name}-${hash}`);
}

/**
 * The folder with a recipe's result: built in a folder beside it and renamed when complete, so that a build that
 * broke off leaves nothing that looks finished. One process builds at a time, others wait for it.
 */
export async function artefact(recipe: Recipe): Promise<string> {
  const path = artefactPath(recipe);
  if (await isFinished(path)) return path;
  await mkdir(cacheRoot(), { recursive: true });
  const unlock = await lock(`${path}.lock`);
  try {
    if (await isFinished(path)) return path;
    const startedAt = performance.now();
    const unfinished = await mkdtemp(`${path}.building-`);
    try {
      await recipe.build(unfinished);
      await rename(unfinished, path);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
    await removeStale(recipe.name);
    process.stderr.write(
      `built ${recipe.name} in ${((performance.now() - startedAt) / 1000).toFixed(0)} s\n`,
    );
    return path;
  } finally {
    await unlock();
  }
}

/** Forgets results of earlier recipes of the same name, also half-made ones, that are a week old or unused as long. */
async function removeStale(name: string): Promise<void> {
  const now = Date.now();
  for (const entry of await readdir(cacheRoot())) {
    if (!new RegExp(`^${name}-[0-9a-f]{16}(\\.building-.*)?$`).test(entry)) continue;
    const path = join(cacheRoot(), entry);
    const { mtimeMs } = await stat(path);
    if (now - mtimeMs > staleAfterMs) await rm(path, { recursive: true, force: true });
  }
}

async function isFinished(path: string): Promise<boolean> {
  const now = new Date();
  return utimes(path, now, now).then(
    () => true,
    () => false,
  );
}

async function lock(path: string): Promise<() => Promise<void>> {
  for (;;) {
    const file = await open(path, 'wx').catch(() => undefined);
    if (file !== undefined) {
      await file.writeFile(`${process.pid} ${startTimeOf(process.pid) ?? ''}`);
      await file.close();
      return () => rm(path, { force: true });
    }
    const [pid, startTime] = (await readFile(path, 'utf8').catch(() => '')).split(' ');
    const writtenAt = await stat(path).then(
      (it) => it.mtimeMs,
      () => Date.now(),
    );
    const held =
      pid === undefined || pid === '' ? Date.now() - writtenAt < 5_000 : isAlive(Number(pid), startTime);
    if (held) await sleep(500);
    else await rm(path, { force: true });
  }
}

/** The hash of files and folders below a root: their paths, contents and executable bits. What is missing counts as empty. */
export async function hashOf(root: string, paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) {
    for (const file of await filesBelow(join(root, path))) {
      const { mode } = await stat(file);
      hash.update(`${relative(root, file)}\0${mode & 0o100}\0`).update(await readFile(file));
    }
  }
  return hash.digest('hex');
}

async function filesBelow(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return [];
  if (!found.isDirectory()) return [path];
  const names = (await readdir(path)).sort();
  return (await Promise.all(names.map((name) => filesBelow(join(path, name))))).flat();
}
