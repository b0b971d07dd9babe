import { KafkaError } from '../../kafka/index.ts';
import { type FinalizeDecision, blockedBy, preflight } from '../../upgrade/index.ts';
import type { ClusterSet } from '../cluster-set.ts';
import { type Context, type Report, tellSet } from '../context.ts';
import { finalizeWhereAsked } from './finalize.ts';
import { listen } from './listen.ts';
import { type Heard, isPending, manifestOfSet, runningOf } from './running.ts';
import { type Judged, featureFinding, upgradeFinding } from './told.ts';

/** Upgrades of Kafka: what must not be rolled out, and what is finalized when a person asks. */
export interface FeaturesDuty {
  /** Why the set's template must not be rolled out; undefined where nothing speaks against it. Asks nobody. */
  blocked(set: ClusterSet): string | undefined;
  reconcile(): Promise<Report>;
}

const periodsMs = { settled: 60_000, busy: 5_000 };

const unheard =
  'what the cluster has finalized is not known yet, so it is not checked whether the wanted version can read it';

export function featuresDuty(context: Context): FeaturesDuty {
  let heard: Heard | undefined;

  const judge = (set: ClusterSet) => {
    const manifest = manifestOfSet(set);
    if (manifest === undefined) return undefined;
    return preflight(manifest, runningOf(set, manifest, { world: context.world(), heard }));
  };

  function blocked(set: ClusterSet): string | undefined {
    const judged = judge(set);
    if (judged === undefined) return undefined;
    const problem = blockedBy(judged);
    if (problem !== undefined || heard !== undefined) return problem;
    return judged.findings.some(({ field }) => field === 'metadata.version') ? unheard : undefined;
  }

  /** Sets whose pods are to change. */
  const pending = (): Judged[] =>
    context.world().sets.flatMap((set) => {
      const manifest = manifestOfSet(set);
      const judged = judge(set);
      if (manifest === undefined || judged === undefined) return [];
      const differs = isPending(set, manifest, context.world().pods);
      return differs || blockedBy(judged) !== undefined ? [{ set: set.name, preflight: judged }] : [];
    });

  async function reconcile(): Promise<Report> {
    const { sets } = context.world();
    if (sets.length === 0) return { conditions: [] };
    const silence = await hear();
    const judged = pending();
    await tellBlocked(context, judged);
    const decisions = await finalizeWhereAsked(context, heard, silence);
    const findings = [
      upgradeFinding(judged),
      featureFinding('MetadataVersion', decisions.metadataVersion),
      featureFinding('EligibleLeaderReplicas', decisions.eligibleLeaders),
    ];
    const isBusy = judged.length > 0 || [decisions.metadataVersion, decisions.eligibleLeaders].some(isOpen);
    return {
      conditions: findings.filter((one) => one !== undefined),
      againInMs: isBusy ? periodsMs.busy : periodsMs.settled,
    };
  }

  /** Why nobody could be heard; undefined where they were. */
  async function hear(): Promise<string | undefined> {
    try {
      heard = await listen(context);
      return undefined;
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      return error.message;
    }
  }

  return { blocked, reconcile };
}

/** Neither done nor refused: it may go on within seconds. */
const isOpen = (decision: FinalizeDecision | undefined): boolean =>
  decision !== undefined && decision.action !== 'done' && decision.action !== 'refuse';

async function tellBlocked(context: Context, judged: readonly Judged[]): Promise<void> {
  for (const { set: name, preflight: one } of judged) {
    const problem = blockedBy(one);
    const set = context.world().sets.find((candidate) => candidate.name === name);
    if (problem === undefined || set === undefined) continue;
    await tellSet(context, set, {
      type: 'Warning',
      reason: 'UpgradeBlocked',
      message: problem,
      action: 'CheckUpgrade',
    });
  }
}
