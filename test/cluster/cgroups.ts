import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const mount = '/sys/fs/cgroup';
const unified = existsSync(join(mount, 'cgroup.controllers'));

/** The hierarchies of a version 1 host (`cpu`, `memory`, …), or the only one of version 2. */
function hierarchies(): string[] {
  if (unified) return [mount];
  return readdirSync(mount)
    .map((name) => join(mount, name))
    .filter((path) => existsSync(join(path, 'cgroup.procs')));
}

/** The hierarchy that membership is read from: every process stands in it exactly once. */
function membership(): string {
  if (unified) return mount;
  return join(mount, 'pids');
}

/** Makes a control group in every hierarchy, ready to hold processes and children. */
export function makeGroup(group: string): void {
  for (const hierarchy of hierarchies()) makeIn(hierarchy, group);
}

function makeIn(hierarchy: string, group: string): void {
  let path = hierarchy;
  for (const part of group.split('/').filter((it) => it !== '')) {
    const parent = path;
    path = join(path, part);
    if (unified) delegateControllers(parent);
    mkdirSync(path, { recursive: true });
    for (const file of ['cpuset.cpus', 'cpuset.mems']) copyDown(parent, path, file);
  }
}

/** A new group of the version 1 cpuset hierarchy is empty, and takes no process until it has cores and memory. */
function copyDown(parent: string, child: string, file: string): void {
  if (unified || !existsSync(join(child, file))) return;
  if (readFileSync(join(child, file), 'utf8').trim() !== '') return;
  writeFileSync(join(child, file), readFileSync(join(parent, file), 'utf8'));
}

function delegateControllers(path: string): void {
  const controllers = readFileSync(join(path, 'cgroup.controllers'), 'utf8').trim().split(' ');
  for (const controller of controllers.filter((it) => it !== '')) {
    try {
      writeFileSync(join(path, 'cgroup.subtree_control'), `+${controller}`);
    } catch {
      // A controller that the host keeps for itself is one that no limit is set with here.
    }
  }
}

/** The files that a process writes its id into to enter a group. */
export function groupEntry(group: string): string[] {
  return hierarchies().map((hierarchy) => join(hierarchy, group, 'cgroup.procs'));
}

/** The ids of all processes in a group and its descendants, as this host numbers them. */
export function processesIn(group: string): number[] {
  return walk(join(membership(), group)).flatMap(readProcesses);
}

/** Descendants of a group (host paths below the membership hierarchy) whose own name contains a text. */
export function groupsNamed(group: string, text: string): string[] {
  const root = membership();
  return walk(join(root, group))
    .filter((path) => path.slice(path.lastIndexOf('/')).includes(text))
    .map((path) => path.slice(root.length));
}

function readProcesses(path: string): number[] {
  try {
    return readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** A folder and all below it, deepest first. */
function walk(path: string): string[] {
  try {
    const below = readdirSync(path, { withFileTypes: true }).filter((it) => it.isDirectory());
    return [...below.flatMap((it) => walk(join(path, it.name))), path];
  } catch {
    return [];
  }
}

/**
 * Ends every process of a group: only what was born in it is ever touched. A stopped process dies too.
 * Throws nothing; gives up after 20 s on what the kernel does not let go.
 */
export async function killGroup(group: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const left = processesIn(group);
    if (left.length === 0 || Date.now() > deadline) return;
    for (const pid of left) signal(pid, 'SIGKILL');
    await sleep(50);
  }
}

/** Sends a signal; a process that has gone already is none of our concern. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone.
  }
}

/** Removes an empty group, with its descendants, from every hierarchy. */
export function removeGroup(group: string): void {
  for (const hierarchy of hierarchies()) {
    for (const path of walk(join(hierarchy, group))) removeFolder(path);
    const parent = dirname(join(hierarchy, group));
    if (parent !== hierarchy) removeFolder(parent);
  }
}

function removeFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Still in use, by another cluster or by a process that the kernel holds.
  }
}
