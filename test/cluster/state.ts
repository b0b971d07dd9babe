import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artefacts } from './build.ts';
import { processesIn } from './cgroups.ts';
import type { Layout } from './layout.ts';
import { isAlive, startTimeOf } from './processes.ts';

/** What a later process must know of a running cluster. */
export interface ClusterState {
  /** Indexes of the nodes that exist, powered on or off. */
  nodes: number[];
  /** Those of them that are powered on and have their cable plugged. */
  reachable: number[];
  /** The process whose end is the cluster's end too; a cluster without one stands until it is taken down. */
  owner?: ProcessIdentity;
  artefacts: Artefacts;
}

/** A process, told apart from a later one of the same id. */
export interface ProcessIdentity {
  pid: number;
  startTime: string;
}

export function ownProcess(): ProcessIdentity {
  return { pid: process.pid, startTime: startTimeOf(process.pid) ?? '' };
}

/** Whether nothing of a cluster runs any more, or its owner has ended without taking it down. */
export function isLeftBehind(layout: Layout, { owner }: ClusterState): boolean {
  const ownerIsGone = owner !== undefined && !isAlive(owner.pid, owner.startTime);
  return ownerIsGone || processesIn(layout.group).length === 0;
}

/** Notes that this process is starting a cluster. */
export async function markStarting(layout: Layout): Promise<void> {
  await writeFile(join(layout.folder, 'starter.json'), JSON.stringify(ownProcess()));
}

/** Whether another process that is alive is starting a cluster. */
export async function isStarting(layout: Layout): Promise<boolean> {
  const text = await readFile(join(layout.folder, 'starter.json'), 'utf8').catch(() => undefined);
  if (text === undefined || text === '') return false;
  const { pid, startTime } = JSON.parse(text) as ProcessIdentity;
  return pid !== process.pid && isAlive(pid, startTime) && (await readState(layout)) === undefined;
}

/** The state of a cluster that has been started completely. */
export async function readState(layout: Layout): Promise<ClusterState | undefined> {
  const text = await readFile(join(layout.folder, 'state.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ClusterState);
}

export async function writeState(layout: Layout, state: ClusterState): Promise<void> {
  const unfinished = join(layout.folder, `state.json.${process.pid}`);
  await writeFile(unfinished, JSON.stringify(state, null, 2));
  await rename(unfinished, join(layout.folder, 'state.json'));
}
