import { underReplicated } from '../../kafka/index.ts';
import { keys } from '../../names.ts';
import {
  type FinalizeDecision,
  type FinalizeFacts,
  decideEligibleLeaders,
  decideMetadataVersion,
} from '../../upgrade/index.ts';
import type { ClusterSet } from '../cluster-set.ts';
import { type Context, tellSet } from '../context.ts';
import { readRecord } from '../disruption/index.ts';
import { settleMinIsr } from './durable-first.ts';
import { type Heard, motionOf, supportOf } from './running.ts';

/** What became of what was asked. */
export interface Decisions {
  readonly metadataVersion: FinalizeDecision | undefined;
  readonly eligibleLeaders: FinalizeDecision | undefined;
}

const askedBy = (sets: readonly ClusterSet[], key: string): Map<string, string> =>
  new Map(
    sets.flatMap(({ name, object }) => {
      const value = object.metadata.annotations?.[key];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** One feature at a time: the second one's levels depend on the first one's. */
export async function finalizeWhereAsked(
  context: Context,
  heard: Heard | undefined,
  silence: string | undefined,
): Promise<Decisions> {
  const { sets } = context.world();
  const asked = {
    metadataVersion: askedBy(sets, keys.metadataVersion),
    eligibleLeaders: askedBy(sets, keys.eligibleLeaderReplicas),
  };
  if (asked.metadataVersion.size + asked.eligibleLeaders.size === 0)
    return { metadataVersion: undefined, eligibleLeaders: undefined };
  if (heard === undefined || silence !== undefined) {
    const why: FinalizeDecision = {
      action: 'wait',
      message: silence ?? 'The brokers have not been asked yet.',
    };
    return {
      metadataVersion: asked.metadataVersion.size > 0 ? why : undefined,
      eligibleLeaders: asked.eligibleLeaders.size > 0 ? why : undefined,
    };
  }
  const facts = await factsOf(context, heard);
  const first = decideMetadataVersion(asked.metadataVersion, facts);
  const metadataVersion = await carryOut(context, first);
  if (first?.action === 'update' || first?.action === 'wait') {
    const why: FinalizeDecision = { action: 'wait', message: 'metadata.version comes first.' };
    return { metadataVersion, eligibleLeaders: asked.eligibleLeaders.size > 0 ? why : undefined };
  }
  const eligibleLeaders = await carryOut(context, decideEligibleLeaders(asked.eligibleLeaders, facts), () =>
    settleMinIsr(context),
  );
  return { metadataVersion, eligibleLeaders };
}

/** Read as late as may be: what is decided on should still be so when it is done. */
async function factsOf(context: Context, heard: Heard): Promise<FinalizeFacts> {
  const { known } = await readRecord(context);
  const { sets, pods } = context.world();
  const topics = await context.kafka.topics();
  const holder = known.known ? known.record.holder : undefined;
  const busy = known.known
    ? holder === undefined
      ? motionOf(sets, pods)
      : `A disruption (${holder.kind}) is under way`
    : 'The disruption record cannot be read';
  return {
    mode: heard.mode,
    finalized: heard.finalized,
    nodes: supportOf(sets, pods, heard),
    stale: heard.stale,
    underReplicated: underReplicated(topics).length,
    busy,
  };
}

/** Asks Kafka whether it would, does what `first` says, and has it done. */
async function carryOut(
  context: Context,
  decision: FinalizeDecision | undefined,
  first: () => Promise<void> = async () => undefined,
): Promise<FinalizeDecision | undefined> {
  if (decision?.action !== 'update') return decision;
  const { feature, level } = decision;
  const update = async (validateOnly: boolean) => {
    const [outcome] = await context.kafka.updateFeatures([{ feature, level }], { validateOnly });
    return outcome?.error?.message;
  };
  const refused = (await update(true)) ?? (await first().then(() => update(false)));
  const [set] = context.world().sets;
  if (set === undefined) return decision;
  if (refused !== undefined) {
    const message = `Kafka refuses ${feature} ${level}: ${refused}`;
    await tellSet(context, set, {
      type: 'Warning',
      reason: 'FeatureRefused',
      message,
      action: 'FinalizeFeature',
    });
    return { action: 'refuse', reason: 'KafkaRefuses', message };
  }
  context.log.info({ event: 'feature-finalized', feature, level }, decision.message);
  const message = `${feature} is finalized at level ${level}: it does not go back.`;
  await tellSet(context, set, {
    type: 'Normal',
    reason: 'FeatureFinalized',
    message,
    action: 'FinalizeFeature',
  });
  return decision;
}
