import { paths } from '../../kubernetes/paths.ts';
import { keys, keysSecretOf } from '../../names.ts';
import type { Context, Report } from '../context.ts';
import { parseIssued } from '../credentials/issued.ts';
import { issuedAnnotation } from '../credentials/keys.ts';
import { readSecret } from '../secrets.ts';
import { podNames } from '../cluster-set.ts';
import { intruders } from '../topology.ts';
import { readRecord } from '../disruption/index.ts';
import { farewellAgeMs, farewellOf, isAnswered } from './request.ts';

/** Of the time that an uninstallation waits for a farewell, so much is left for a balancing to be taken back. */
const takingBackMs = 60_000;

/**
 * The duty `farewell` of one process. A farewell that was answered before it began is over: an uninstallation removes the sidecar
 * then, and this one has come with another installation, which is to take up everything at once.
 */
export function farewells(context: Context): { reconcile(): Promise<Report> } {
  let begun = false;
  return {
    async reconcile() {
      const { kafkaCluster } = context.world();
      if (begun || kafkaCluster === undefined) return reconcileFarewell(context);
      if (isAnswered(kafkaCluster)) await forget(context);
      begun = true;
      return reconcileFarewell(context);
    },
  };
}

async function forget({ kube, namespace, cluster, log }: Context): Promise<void> {
  const annotations = { [keys.farewell]: null };
  await kube.patch(paths.kafkaclusters(namespace, cluster), { metadata: { annotations } }, 'merge');
  log.info({ event: 'farewell-over' }, 'kafka-warden is installed again: the farewell is over');
}

/**
 * Before kafka-warden is uninstalled the credentials duty issues every leaf anew, once for each farewell; this one
 * tells when that is done, and until when every broker can start again with nobody there. Budget and Services are
 * owned by the StatefulSets and stay as they are. A balancing is stopped: nobody would take its throttles back.
 */
async function reconcileFarewell(context: Context): Promise<Report> {
  const { sets, kafkaCluster } = context.world();
  const token = farewellOf(kafkaCluster);
  if (token === undefined || sets.length === 0) return { conditions: [] };
  if (await isBalancing(context)) return { conditions: [], againInMs: 1_000 };
  const ends: string[] = [];
  for (const set of sets) {
    const secret = await readSecret(context.kube, context.namespace, keysSecretOf(set.name));
    if (secret === undefined && intruders(sets).has(set.name)) continue;
    const issued = parseIssued(secret?.metadata.annotations?.[issuedAnnotation]);
    if (issued?.farewell !== token) return { conditions: [], againInMs: 1_000 };
    for (const pod of podNames(set)) {
      const known = issued.pods[pod];
      if (known === undefined) return { conditions: [], againInMs: 1_000 };
      ends.push(known.node.notAfter, known.controller.notAfter);
    }
  }
  const leavesUntil = ends.sort()[0] ?? context.now().toISOString();
  return {
    conditions: [
      {
        type: 'Farewell',
        status: 'True',
        reason: 'LeavesIssued',
        message: `Every broker can start again without kafka-warden until ${leavesUntil}.`,
      },
    ],
    facts: { farewell: { token, leavesUntil } },
  };
}

async function isBalancing(context: Context): Promise<boolean> {
  const ageMs = farewellAgeMs(context.world().kafkaCluster, context.now());
  if (ageMs === undefined || ageMs > takingBackMs) return false;
  const { known } = await readRecord(context);
  return known.known && known.record.holder?.kind === 'rebalance';
}
