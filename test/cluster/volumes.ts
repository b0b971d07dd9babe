import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run, script, tryRun } from './command.ts';
import type { Layout } from './layout.ts';

/** Where all volumes are mounted; the mounts reach into the nodes' mount namespaces. */
export function volumesFolder(layout: Layout): string {
  return join(layout.folder, 'volumes');
}

/** The mount point of one volume, the same path on every node. */
export function volumePath(layout: Layout, volume: string): string {
  return join(volumesFolder(layout), volume);
}

/** Prepares the folder so that what is mounted below it later appears on running nodes too. */
export async function prepareVolumes(layout: Layout): Promise<void> {
  const folder = volumesFolder(layout);
  await mkdir(folder, { recursive: true });
  await mkdir(imagesFolder(layout), { recursive: true });
  await script('mount --bind "$1" "$1" && mount --make-shared "$1"', [folder]);
}

/** Makes and mounts a file system of its own for a volume. What exists already stays as it is. */
export async function makeVolume(layout: Layout, volume: string, sizeBytes: number): Promise<string> {
  const path = volumePath(layout, volume);
  if ((await tryRun('mountpoint', ['-q', path])).code === 0) return path;
  await mkdir(path, { recursive: true });
  // Sparse, without journal and reserved blocks: what a volume takes is what is written to it.
  await script(
    `truncate -s "$3" "$2"
     mkfs.ext4 -q -F -m 0 -O ^has_journal -E lazy_itable_init=1,nodiscard "$2"
     mount -o loop,discard,noatime "$2" "$1"
     rmdir "$1/lost+found"
     chmod 0777 "$1"`,
    [path, join(imagesFolder(layout), volume), String(Math.max(sizeBytes, 16 * 1024 * 1024))],
  );
  return path;
}

/** Unmounts and deletes a volume with all its data. */
export async function removeVolume(layout: Layout, volume: string): Promise<void> {
  const path = volumePath(layout, volume);
  await tryRun('umount', ['--lazy', path]);
  await rm(join(imagesFolder(layout), volume), { force: true });
  await tryRun('rmdir', [path]);
}

/** Unmounts everything below the cluster's folder; loop devices go with their last mount. */
export async function unmountAll(layout: Layout): Promise<void> {
  const mounted = await run('findmnt', ['-rn', '-o', 'TARGET']);
  const ours = mounted.split('\n').filter((it) => it.startsWith(`${layout.folder}/`));
  for (const path of ours.reverse()) await tryRun('umount', ['--lazy', path]);
  const loops = await tryRun('losetup', ['-ln', '-O', 'NAME,BACK-FILE']);
  for (const line of loops.stdout.split('\n')) {
    const [device, file] = line.trim().split(/\s+/);
    if (device !== undefined && file?.startsWith(`${layout.folder}/`) === true)
      await tryRun('losetup', ['-d', device]);
  }
}

/** Writes a file that leaves so many bytes of a volume free; `freeVolume` removes it. */
export async function fillVolume(path: string, leaveBytes: number): Promise<void> {
  const free = Number((await run('df', ['--output=avail', '-B1', path])).trim().split('\n')[1]);
  const size = Math.max(free - leaveBytes, 0);
  if (size > 0) await run('fallocate', ['-l', String(size), fillerIn(path)]);
}

export async function freeVolume(path: string): Promise<void> {
  await rm(fillerIn(path), { force: true });
}

function fillerIn(path: string): string {
  return join(path, '.filler');
}

function imagesFolder(layout: Layout): string {
  return join(layout.folder, 'volume-images');
}
