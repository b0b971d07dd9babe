import { setTimeout as sleep } from 'node:timers/promises';
import { addMachine, takeDown } from './bring-up.ts';
import { buildLoadable } from './build.ts';
import { signal } from './cgroups.ts';
import type { Cluster } from './cluster.ts';
import { clientCalls, nameResolution } from './clients.ts';
import { auditLogOf, startApiServer, stopApiServer, waitForApiServer } from './control-plane.ts';
import { ClusterError } from './errors.ts';
import { waitForHeartbeat, waitForNodes } from './node-readiness.ts';
import { maxNodes, nodeLayout } from './layout.ts';
import type { Layout, NodeLayout } from './layout.ts';
import { routeServices, setCable } from './network.ts';
import { loadImages, powerOff, powerOn } from './node.ts';
import { runningProcesses, volumeOfPod } from './pods.ts';
import { stateOf } from './processes.ts';
import { readState, writeState } from './state.ts';
import type { ClusterState } from './state.ts';
import { fillVolume, freeVolume, volumePath } from './volumes.ts';

/** A running cluster of this machine. */
export async function localCluster(layout: Layout, owned: boolean): Promise<Cluster> {
  const { artefacts } = await requireState(layout);
  const programs = { kubectl: artefacts.kubectl, helm: artefacts.helm };
  const calls = clientCalls(layout.kubeconfig, programs);
  const machines = machineCalls(layout);
  return {
    name: layout.name,
    kubeconfig: layout.kubeconfig,
    programs,
    auditLog: auditLogOf(layout),
    ...calls,
    ...nameResolution(layout.controlPlane.address),
    ...machines,
    ...faultCalls(layout, calls.kubectl),
    async stop() {
      await takeDown(layout);
    },
    async [Symbol.asyncDispose]() {
      if (owned) await takeDown(layout);
    },
  };
}

async function requireState(layout: Layout): Promise<ClusterState> {
  const state = await readState(layout);
  if (state !== undefined) return state;
  throw new ClusterError(
    'NOT_RUNNING',
    `The cluster ${layout.name} is not running: start it with "npm run cluster -- up".`,
  );
}

type MachineCalls = Pick<
  Cluster,
  | 'nodes'
  | 'addNode'
  | 'stopNode'
  | 'startNode'
  | 'cutOff'
  | 'heal'
  | 'stopApiServer'
  | 'startApiServer'
  | 'loadImage'
>;

function machineCalls(layout: Layout): MachineCalls {
  async function find(name: string): Promise<NodeLayout> {
    const { nodes } = await requireState(layout);
    const found = nodes.map((index) => nodeLayout(layout, index)).find((it) => it.name === name);
    if (found !== undefined) return found;
    throw new ClusterError(
      'NO_SUCH_NODE',
      `${name} is no node of the cluster: it has ${nodes.map((it) => `node${it}`).join(', ')}.`,
    );
  }

  /** Keeps the list of reachable nodes, and this machine's route to Services over one of them. */
  async function setReachable({ name }: NodeLayout, isReachable: boolean): Promise<void> {
    const state = await requireState(layout);
    const index = Number(name.replace('node', ''));
    const others = state.reachable.filter((it) => it !== index);
    const reachable = isReachable ? [...others, index] : others;
    await writeState(layout, { ...state, reachable });
    const [way] = reachable;
    if (way !== undefined) await routeServices(layout, nodeLayout(layout, way));
  }

  return {
    async nodes() {
      return (await requireState(layout)).nodes.map((index) => nodeLayout(layout, index).name);
    },
    async addNode() {
      const state = await requireState(layout);
      const index = Math.max(...state.nodes) + 1;
      if (index > maxNodes)
        throw new ClusterError('NO_SUCH_NODE', `A cluster has at most ${maxNodes} nodes.`);
      const node = nodeLayout(layout, index);
      await addMachine(layout, node, state.artefacts);
      await writeState(layout, {
        ...state,
        nodes: [...state.nodes, index],
        reachable: [...state.reachable, index],
      });
      await waitForNodes(layout, state.artefacts, [node.name]);
      return node.name;
    },
    async stopNode(name) {
      const node = await find(name);
      await powerOff(node);
      await setReachable(node, false);
    },
    async startNode(name) {
      const node = await find(name);
      const { artefacts } = await requireState(layout);
      const startedAt = new Date();
      await powerOn(layout, node, artefacts);
      await setReachable(node, true);
      await waitForHeartbeat(layout, artefacts, { node: name, since: startedAt });
      await waitForNodes(layout, artefacts, [name]);
    },
    async cutOff(name) {
      const node = await find(name);
      await setCable(node, 'down');
      await setReachable(node, false);
    },
    async heal(name) {
      const node = await find(name);
      await setCable(node, 'up');
      await setReachable(node, true);
    },
    async stopApiServer() {
      await stopApiServer(layout);
    },
    async startApiServer() {
      const { artefacts } = await requireState(layout);
      startApiServer(layout, artefacts);
      await waitForApiServer(layout, artefacts);
    },
    async loadImage() {
      const loadable = await buildLoadable();
      const state = await requireState(layout);
      await Promise.all(state.reachable.map((index) => loadImages(nodeLayout(layout, index), loadable)));
      await writeState(layout, { ...state, artefacts: { ...state.artefacts, ...loadable } });
    },
  };
}

type FaultCalls = Pick<
  Cluster,
  'pause' | 'resume' | 'killProcessOf' | 'processesOf' | 'fillDisk' | 'freeDisk'
>;

function faultCalls(layout: Layout, kubectl: Cluster['kubectl']): FaultCalls {
  async function signalAll(name: NodeJS.Signals, of: [string, string, (string | undefined)?]): Promise<void> {
    for (const { pid } of await runningProcesses(layout, kubectl, of)) signal(pid, name);
  }
  return {
    async pause(pod, namespace) {
      await signalAll('SIGSTOP', [pod, namespace]);
      // A process that is in a system call stops a little later.
      for (const { pid } of await runningProcesses(layout, kubectl, [pod, namespace])) {
        while (!['T', 'Z', undefined].includes(stateOf(pid))) await sleep(10);
      }
    },
    resume: (pod, namespace) => signalAll('SIGCONT', [pod, namespace]),
    killProcessOf: (pod, namespace, container) => signalAll('SIGKILL', [pod, namespace, container]),
    processesOf: (pod, namespace, container) =>
      runningProcesses(layout, kubectl, [pod, namespace, container]),
    async fillDisk(pod, namespace, { leaveBytes = 0, claim } = {}) {
      await fillVolume(volumePath(layout, await volumeOfPod(kubectl, [pod, namespace], claim)), leaveBytes);
    },
    async freeDisk(pod, namespace, { claim } = {}) {
      await freeVolume(volumePath(layout, await volumeOfPod(kubectl, [pod, namespace], claim)));
    },
  };
}
