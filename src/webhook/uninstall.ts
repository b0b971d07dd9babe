import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { connect, isStatus, type Kube } from '../kubernetes/client.ts';
import type { KubeObject, Log } from '../kubernetes/object.ts';
import { pathOf, paths } from '../kubernetes/paths.ts';
import { keys } from '../names.ts';
import { installation } from './settings.ts';
import { sidecarSelector } from './sidecar-manifests.ts';

type Cluster = KubeObject & { status?: { farewell?: { token?: string; leavesUntil?: string } } };
type Deployment = KubeObject & { status?: { replicas?: number } };

const farewellMs = 90_000;
const stoppedMs = 30_000;
const pollMs = 1_000;

/** Asks again and again until the answer is not undefined; undefined when the time is over. */
async function poll<T>(
  ask: () => Promise<T | undefined>,
  forMs: number,
  signal: AbortSignal,
): Promise<T | undefined> {
  const until = Date.now() + forMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined || Date.now() > until) return answer;
    await delay(pollMs, undefined, { signal });
  }
}

/** First of all: from here on nothing is hardened, and nothing waits for a webhook that is about to go. */
async function removeConfigurations(kube: Kube, log: Log): Promise<void> {
  await kube.remove(paths.validatingwebhookconfigurations(installation.name));
  await kube.remove(paths.mutatingwebhookconfigurations(installation.name));
  log.info({}, 'the webhook configurations are removed');
}

/** Its loop would make again what is removed below. */
async function stopWebhook(kube: Kube, namespace: string, { log, signal }: Surroundings): Promise<void> {
  const path = paths.deployments(namespace, installation.name);
  try {
    await kube.patch(path, { spec: { replicas: 0 } }, 'merge');
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
  }
  const stopped = async () => {
    const deployment = await kube.tryGet<Deployment>(path);
    return deployment?.status?.replicas ? undefined : true;
  };
  if (!(await poll(stopped, stoppedMs, signal))) log.warn({}, 'the webhook has not stopped yet; going on');
}

interface Surroundings {
  log: Log;
  signal: AbortSignal;
}

/** Asks one sidecar for its farewell. Says until when the cluster's brokers can start again. */
async function sayFarewell(kube: Kube, cluster: Cluster, { log, signal }: Surroundings): Promise<void> {
  const { namespace, name } = cluster.metadata ?? {};
  const fields = { namespace, cluster: name };
  const path = pathOf(cluster);
  const token = new Date().toISOString();
  try {
    await kube.patch(path, { metadata: { annotations: { [keys.farewell]: token } } }, 'merge');
    const leavesUntil = await poll(
      async () => {
        const farewell = (await kube.get<Cluster>(path)).status?.farewell;
        return farewell?.token === token ? farewell.leavesUntil : undefined;
      },
      farewellMs,
      signal,
    );
    if (leavesUntil)
      log.info({ ...fields, leavesUntil }, 'the cluster runs on its own, restarts included, until then');
    else
      log.warn(
        fields,
        `no farewell within ${farewellMs / 1_000} s: status.certificates says until when it runs`,
      );
  } catch (error) {
    log.warn({ ...fields, err: error }, 'no farewell: status.certificates says until when the cluster runs');
  }
}

/** Sidecars and their rights. CRDs, Secrets, budgets, the brokers' Services and launchers stay: clusters run by them. */
async function removeSidecars(kube: Kube, log: Log): Promise<void> {
  const kinds = [
    paths.deployments(),
    paths.rolebindings(),
    paths.networkpolicies(),
    paths.serviceaccounts(),
    paths.services(),
  ];
  for (const path of kinds) {
    const made = await kube.list<KubeObject>(path, { labelSelector: sidecarSelector });
    for (const object of made) {
      await kube.remove(pathOf(object), { propagationPolicy: 'Background' });
      log.info(
        { kind: object.kind, namespace: object.metadata?.namespace, name: object.metadata?.name },
        'removed',
      );
    }
  }
}

/** KafkaClusters of all namespaces; none where the kind itself is gone. */
async function kafkaClusters(kube: Kube): Promise<Cluster[]> {
  try {
    return await kube.list<Cluster>(paths.kafkaclusters());
  } catch (error) {
    if (isStatus(error, 404)) return [];
    throw error;
  }
}

/**
 * What the chart's pre-delete job does, in the only safe order: webhook configurations, the webhook, each sidecar's
 * farewell (side by side), the sidecars. Throws what the API server refuses; running it again goes on where it stopped.
 */
export async function runUninstall(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> {
  const namespace = env['WARDEN_NAMESPACE'];
  if (!namespace)
    throw new Error(
      'settings-invalid: set WARDEN_NAMESPACE to the namespace that kafka-warden is installed in',
    );
  const log = pino({ level: env['LOG_LEVEL'] ?? 'info', base: { part: 'uninstall' } });
  const kube = await connect({ env });
  await removeConfigurations(kube, log);
  await stopWebhook(kube, namespace, { log, signal });
  const clusters = await kafkaClusters(kube);
  await Promise.all(clusters.map((cluster) => sayFarewell(kube, cluster, { log, signal })));
  await removeSidecars(kube, log);
  log.info({ clusters: clusters.length }, 'done: clusters run on as they are');
}
