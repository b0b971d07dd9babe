import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artefacts } from './build.ts';
import type { Layout } from './layout.ts';
import { isAlive, startTimeOf } from './processes.ts';

/** What a later process must know of a running cluster. */
export interface ClusterState {
  /** Indexes of the nodes that exist, powered on or off. */
  nodes: number[];
  /** Those of them that are powered on and have their cable plugged. */
  reachable: number[];
  /** The process whose end is the cluster's end too; a cluster without one stands until it is taken down. */
  owner?: { pid: number; startTime: string };
  artefacts: Artefacts;
}

/** This process as an owner. */
export function ownProcess(): { pid: number; startTime: string } {
  return { pid: process.pid, startTime: startTimeOf(process.pid) ?? '' };
}

/** Whether a cluster's owner has ended without taking it down. */
export function isOrphaned({ owner }: ClusterState): boolean {
  return owner !== undefined && !isAlive(owner.pid, owner.startTime);
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
