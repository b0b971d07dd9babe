/**
 * The cloud below the cluster, as a process of its own: gives claims their volumes and LoadBalancer Services their
 * addresses. Started with the cluster's name; ends with the cluster.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { apiClient } from './api-client.ts';
import { findLayout } from './layout.ts';
import { reconcileLoadBalancers } from './load-balancer.ts';
import { reconcileStorage } from './storage.ts';

const layout = await findLayout(process.argv[2] ?? '');
if (layout === undefined) throw new Error('There is no cluster of this name.');
const api = await apiClient(layout.kubeconfig);

/** Runs a pass on every event of the collections, one at a time; a failed pass is repeated after a second. */
function follow(paths: readonly string[], pass: () => Promise<void>): void {
  let wanted = true;
  let wake: (() => void) | undefined;
  const ask = () => {
    wanted = true;
    wake?.();
  };
  for (const path of paths) void watchForEver(path, ask);
  void (async () => {
    for (;;) {
      if (!wanted) await new Promise<void>((resolve) => (wake = resolve));
      wanted = false;
      await pass().catch(async (error: unknown) => {
        console.error(new Date().toISOString(), String(error));
        wanted = true;
        await sleep(1_000);
      });
    }
  })();
}

async function watchForEver(path: string, onEvent: () => void): Promise<never> {
  for (;;) {
    await api.watch(path, onEvent).catch(() => undefined);
    await sleep(500);
    onEvent();
  }
}

const running = layout;
follow(['/api/v1/persistentvolumeclaims', '/api/v1/persistentvolumes'], () => reconcileStorage(running, api));
follow(['/api/v1/services'], () => reconcileLoadBalancers(running, api));
