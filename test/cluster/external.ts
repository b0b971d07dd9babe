import type { Cluster } from './cluster.ts';
import { clientCalls } from './clients.ts';
import { run } from './command.ts';
import { ClusterError } from './errors.ts';

/** A cluster that somebody else runs, which has the images: kubectl and Helm on PATH, and nothing below its API. */
export function externalCluster(kubeconfig: string): Cluster {
  const programs = { kubectl: 'kubectl', helm: 'helm' };
  const calls = clientCalls(kubeconfig, programs);
  const unavailable = (what: string) => async (): Promise<never> => {
    throw new ClusterError(
      'EXTERNAL_CLUSTER',
      `${what} is not available on an external cluster (KUBECONFIG is set).`,
    );
  };
  return {
    name: 'external',
    kubeconfig,
    programs,
    auditLog: undefined,
    ...calls,
    async resolve(name) {
      return (await run('getent', ['ahostsv4', name]))
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[0] ?? '');
    },
    lookup: (_, __, callback) => {
      callback(
        new ClusterError('EXTERNAL_CLUSTER', 'Names of an external cluster cannot be resolved here.'),
        '',
      );
    },
    async nodes() {
      return (await calls.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}'])).split(' ');
    },
    addNode: unavailable('Adding a node'),
    stopNode: unavailable("Cutting a node's power"),
    startNode: unavailable('Powering a node on'),
    cutOff: unavailable('Cutting a node off'),
    heal: unavailable("Healing a node's network"),
    pause: unavailable('Pausing a pod'),
    resume: unavailable('Resuming a pod'),
    killProcessOf: unavailable("Killing a pod's processes"),
    processesOf: unavailable("Reading a pod's processes"),
    stopApiServer: unavailable('Stopping the API server'),
    startApiServer: unavailable('Starting the API server'),
    fillDisk: unavailable('Filling a disk'),
    freeDisk: unavailable('Freeing a disk'),
    loadImage: unavailable('Loading an image'),
    stop: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}
