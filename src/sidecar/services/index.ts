import { ensure } from '../../kubernetes/apply.ts';
import { isStatus } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import type { ClusterSet } from '../cluster-set.ts';
import type { Finding } from '../conditions.ts';
import { type Context, type Report, tell } from '../context.ts';
import { bootstrapAddress, bootstrapService } from './bootstrap.ts';
import { listenersOf } from './listeners.ts';
import { governingAction, governingService } from './governing.ts';

/** Since when each governing Service has been missing, by name, on the monotonic clock. */
export type Absences = Map<string, number>;

/** The Services by which clients and brokers find the pods. */
export async function reconcileServices(context: Context, absences: Absences): Promise<Report> {
  const { sets, pods } = context.world();
  if (sets.length === 0) return { conditions: [] };
  const bootstrap = bootstrapService(sets, pods, context.namespace);
  if (bootstrap !== undefined) await ensure(context.kube, bootstrap);
  const problems: string[] = [];
  const waits: number[] = [];
  for (const set of sets) {
    const { problem, waitMs } = await reconcileGoverning(context, set, absences);
    if (problem !== undefined) problems.push(problem);
    if (waitMs !== undefined) waits.push(waitMs);
  }
  return {
    conditions: [finding(problems)],
    facts: {
      ...(bootstrap === undefined ? {} : { bootstrap: bootstrapAddress(sets, context.namespace) }),
      listeners: listenersOf(sets),
    },
    ...(waits.length === 0 ? {} : { againInMs: Math.min(...waits) }),
  };
}

async function reconcileGoverning(
  context: Context,
  set: ClusterSet,
  absences: Absences,
): Promise<{ problem?: string; waitMs?: number }> {
  const { kube, namespace } = context;
  const { service: name } = set.layout;
  const service = context.world().services.find(({ metadata }) => metadata.name === name);
  const now = performance.now();
  if (service !== undefined) absences.delete(name);
  else if (!absences.has(name)) absences.set(name, now);
  const decision = governingAction(set, service, now - (absences.get(name) ?? now));
  switch (decision.action) {
    case 'none':
      return {};
    case 'wait':
      return { waitMs: decision.forMs };
    case 'publish-not-ready':
      await kube.patch(
        paths.services(namespace, name),
        { spec: { publishNotReadyAddresses: true } },
        'merge',
      );
      context.log.info(
        { event: 'service-patched', service: name },
        'let the headless Service publish pods that are not ready',
      );
      return {};
    case 'create':
      await kube
        .create(paths.services(namespace), governingService(set, context.world().sets, namespace))
        .catch((error: unknown) => {
          if (!isStatus(error, 409)) throw error;
        });
      context.log.info({ event: 'service-created', service: name }, 'created the governing headless Service');
      return {};
    case 'report': {
      const message = `${decision.problem}. ${decision.remedy}.`;
      await tell(context, set.object, {
        type: 'Warning',
        reason: 'ServiceNotHeadless',
        message,
        action: 'CheckService',
      });
      return { problem: message };
    }
  }
}

const finding = (problems: readonly string[]): Finding =>
  problems.length === 0
    ? { type: 'ServicesReady', status: 'True', reason: 'Headless', message: 'Every pod has its name in DNS.' }
    : { type: 'ServicesReady', status: 'False', reason: 'ServiceNotHeadless', message: problems.join(' ') };
