import type { LookupFunction } from 'node:net';
import { pino } from 'pino';
import { launchers as supportedLaunchers } from '../hardening/index.ts';
import { type Kube, connect } from '../kubernetes/client.ts';
import { holdLease } from '../kubernetes/lease.ts';
import type { Log } from '../kubernetes/object.ts';
import { objectsOf } from '../names.ts';
import { type QuestionsDuty, answerQuestions } from './api/index.ts';
import { type Observation, observeBrokers } from './brokers/index.ts';
import { reconcileBudget } from './budget/index.ts';
import { inMode } from './cluster-set.ts';
import type { Context } from './context.ts';
import { type NodesAuthority, reconcileCredentials } from './credentials/index.ts';
import { dropLeftovers } from './disruption/leftovers.ts';
import { reconcileDisks } from './disks/index.ts';
import { reconcileDurability } from './durability/index.ts';
import { type Duty, type DutyLoop, dutyLoop } from './duties.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { farewells } from './farewell/index.ts';
import { type FeaturesDuty, featuresDuty } from './features/index.ts';
import { type Gate, gateOf } from './gate/index.ts';
import { serveHealth } from './health.ts';
import { linkControllers, linkKafka } from './kafka-link.ts';
import { type Metrics, createMetrics } from './metrics.ts';
import { quietWarnings } from './quiet.ts';
import { newMemory, reconcileRebalances } from './rebalance/index.ts';
import { type Stops, stopsOf } from './stops/index.ts';
import { evidenceOnDemand } from './stops/on-demand.ts';
import { reconcileScale } from './scale/index.ts';
import { reconcileServices } from './services/index.ts';
import { reconcileStatus } from './status/index.ts';
import { reconcileUsers } from './users/index.ts';
import { type World, type WorldSource, watchWorld } from './world.ts';

export interface SidecarOptions {
  readonly kube?: Kube;
  readonly log?: Log;
  /** Resolves broker names where the process is not in the cluster. */
  readonly lookup?: LookupFunction;
}

const lease = { durationMs: 15_000, renewMs: 4_000 };

/** Runs the sidecar of one Kafka cluster until the signal aborts. Throws when the environment is incomplete. */
export async function runSidecar(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  options: SidecarOptions = {},
): Promise<void> {
  const environment = readEnvironment(env);
  const { namespace, cluster, identity } = environment;
  const log = quietWarnings(options.log ?? pino({ level: environment.logLevel, base: { cluster } }));
  const kube = options.kube ?? (await connect({ env }));
  const metrics = createMetrics(cluster);
  const world = watchWorld(kube, { namespace, cluster, log });
  const state: State = { synced: false, issued: false, leading: false, stops: undefined };
  const server = await serveHealth({
    port: environment.port,
    metrics,
    notReady: () => notReady(world, state),
    stops: () => state.stops,
  });
  log.info({ event: 'sidecar-started', namespace, port: environment.port }, 'the sidecar has started');
  world.start(signal);
  const stopped = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  await Promise.race([world.synced, stopped]);
  state.synced = true;

  const work = { kube, log, metrics, world, environment, state, lookup: options.lookup };
  await holdLease(kube, {
    namespace,
    name: objectsOf(cluster).warden,
    identity,
    ...lease,
    log,
    signal,
    lead: (term, holds) => actForCluster(work, term, holds),
  });
  await new Promise<void>((resolve) => server.close(() => resolve()));
  log.info({ event: 'sidecar-stopped' }, 'the sidecar has stopped');
}

interface State {
  synced: boolean;
  /** The keystores have been issued at least once by this process. */
  issued: boolean;
  leading: boolean;
  stops: Stops | undefined;
}

function notReady(world: WorldSource, { synced, issued, leading }: State): string | undefined {
  if (!synced) return 'the first lists from the API server are not in yet';
  if (leading && !issued) return 'the keystores have not been looked at yet';
  return world.ageMs() > 300_000 ? 'the API server has not been heard for five minutes' : undefined;
}

interface Work {
  readonly kube: Kube;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly world: WorldSource;
  readonly environment: Environment;
  readonly state: State;
  readonly lookup: LookupFunction | undefined;
}

/** All duties, while the lease is held. */
async function actForCluster(work: Work, term: AbortSignal, holds: () => boolean): Promise<void> {
  const { kube, log, metrics, world, state } = work;
  const { namespace, cluster } = work.environment;
  const nodes: NodesAuthority = { current: undefined };
  const now = () => new Date();
  const current = (): World => {
    const held = world.current();
    const mode = loop.facts().mode ?? held.kafkaCluster?.status?.mode;
    return { ...held, sets: inMode(held.sets, mode) };
  };
  const link = { namespace, world: current, nodes, now, log, signal: term, lookup: work.lookup };
  const kafka = linkKafka(link);
  const controllers = linkControllers(link);
  const launchers = supportedLaunchers();
  const reports: Pick<DutyLoop, 'all' | 'facts'> = { all: () => loop.all(), facts: () => loop.facts() };
  const context: Context = {
    namespace,
    cluster,
    kube,
    kafka,
    controllers,
    holds,
    log,
    metrics,
    launchers,
    now,
    world: current,
    reports,
  };
  // A client of its own: what others ask must not hold up what a verdict waits for.
  const judged = linkKafka({ ...link, timeouts: gateTimeouts });
  const features = featuresDuty(context);
  const gate = work.environment.evictionGate
    ? gateOf({
        context,
        kafka: judged,
        by: work.environment.identity,
        wake: (duty) => loop.wake(duty),
        blocked: (set) => features.blocked(set),
      })
    : undefined;
  const questions = questionsDuty(context, nodes, { gate, environment: work.environment });
  const loop = dutyLoop(
    dutiesOf(context, nodes, {
      gate,
      questions,
      features,
      by: work.environment.identity,
      signal: term,
      wake: () => loop.wake('rebalance'),
    }),
    { log, metrics },
  );
  loop.onReport((duty) => {
    if (duty === 'credentials') state.issued = true;
    for (const next of followers[duty] ?? []) loop.wake(next);
    if (duty !== 'status') loop.wake('status');
  });
  const end = world.onChange((kind) => {
    loop.tell(kind);
    if (kind === 'pods' || kind === 'sets') gate?.look();
  });
  metrics.leaseHeld.set(1);
  state.leading = true;
  state.stops = stopsOf(context, gate?.evidence ?? evidenceOnDemand({ context, kafka: judged }, term));
  try {
    await Promise.all([loop.run(term), gate?.run(term)]);
  } finally {
    end();
    state.leading = false;
    state.stops = undefined;
    metrics.leaseHeld.set(0);
    await questions?.close();
    await Promise.all([kafka.close(), controllers.close()]);
  }
}

/** Duties that read what another one reports. */
const followers: Readonly<Record<string, readonly string[]>> = {
  credentials: ['questions', 'brokers', 'users', 'farewell'],
  brokers: ['disks', 'durability', 'users'],
  features: ['disruption'],
};

/** A ping is given up after half a second; what comes later than this is too old for a verdict. */
const gateTimeouts = { connectTimeoutMs: 500, requestTimeoutMs: 2_000 };

/** Where the webhook may ask: while the gate is off it does not, and who asks all the same is told so. */
function questionsDuty(
  context: Context,
  nodes: NodesAuthority,
  { gate, environment: { questions } }: { gate: Gate | undefined; environment: Environment },
): QuestionsDuty | undefined {
  if (questions === undefined) return undefined;
  const decide: Gate['decide'] = async ({ pod }) => ({
    verdict: 'deny',
    reason: 'gate-off',
    message: `${pod} cannot go yet: the eviction gate of its cluster is being switched on or off; the same drain will ask again.`,
  });
  return answerQuestions(context, nodes, { decide: gate?.decide ?? decide, questions });
}

/** What duties need that act beyond one pass. */
interface Term {
  /** This process, as the disruption record names it. */
  readonly by: string;
  readonly signal: AbortSignal;
  readonly wake: () => void;
  readonly gate: Gate | undefined;
  readonly questions: QuestionsDuty | undefined;
  readonly features: FeaturesDuty;
}

function dutiesOf(context: Context, nodes: NodesAuthority, term: Term): Duty[] {
  const { gate, questions, features, by, signal, wake } = term;
  const memory = newMemory();
  const observation: Observation = { presented: new Map(), presentedAgainAtMs: -Infinity };
  const absences = new Map<string, number>();
  const farewell = farewells(context);
  const statusWritten = { atMs: -Infinity };
  const everyMs = 60_000;
  const duties: Duty[] = [
    {
      name: 'credentials',
      everyMs,
      wokenBy: ['sets', 'pods', 'services', 'secrets', 'configMaps', 'clusters'],
      reconcile: () => reconcileCredentials(context, nodes),
    },
    {
      name: 'services',
      everyMs,
      wokenBy: ['sets', 'pods', 'services'],
      reconcile: () => reconcileServices(context, absences),
    },
    {
      name: 'budget',
      everyMs,
      wokenBy: ['sets', 'budgets', 'clusters'],
      reconcile: () => reconcileBudget(context, gate),
    },
    {
      name: 'brokers',
      everyMs: 10_000,
      wokenBy: ['sets', 'pods'],
      after: ['credentials'],
      reconcile: () => observeBrokers(context, observation),
    },
    {
      name: 'disks',
      everyMs,
      wokenBy: ['sets', 'pods', 'claims', 'secrets'],
      after: ['brokers'],
      reconcile: () => reconcileDisks(context),
    },
    {
      name: 'users',
      everyMs,
      wokenBy: ['sets', 'users', 'secrets'],
      after: ['brokers'],
      reconcile: () => reconcileUsers(context, nodes),
    },
    {
      name: 'durability',
      everyMs,
      wokenBy: ['sets'],
      after: ['brokers'],
      reconcile: () => reconcileDurability(context),
    },
    {
      name: 'features',
      everyMs,
      wokenBy: ['sets', 'pods'],
      after: ['brokers', 'durability'],
      reconcile: () => features.reconcile(),
    },
    {
      name: 'rebalance',
      everyMs,
      wokenBy: ['rebalances'],
      after: ['brokers'],
      reconcile: () => reconcileRebalances({ context, memory, by, signal, wake }),
    },
    {
      name: 'scale',
      everyMs,
      wokenBy: ['sets', 'pods', 'rebalances'],
      after: ['brokers'],
      reconcile: () => reconcileScale({ context, by }),
    },
    {
      name: 'farewell',
      everyMs,
      wokenBy: ['clusters', 'secrets'],
      after: ['credentials'],
      reconcile: () => farewell.reconcile(),
    },
  ];
  if (questions !== undefined)
    duties.push({
      name: 'questions',
      everyMs,
      wokenBy: ['sets'],
      after: ['credentials'],
      reconcile: () => questions.reconcile(),
    });
  if (gate !== undefined)
    duties.push({
      name: 'disruption',
      everyMs: 30_000,
      wokenBy: ['pods', 'sets', 'rebalances'],
      after: ['credentials'],
      reconcile: () => gate.reconcile(),
    });
  else
    duties.push({
      name: 'disruption',
      everyMs,
      reconcile: async () => {
        await dropLeftovers(context);
        return { conditions: [] };
      },
    });
  // A status of half the facts would say that what is not known yet has gone.
  const after = duties.map(({ name }) => name);
  return [
    ...duties,
    { name: 'status', everyMs, after, reconcile: () => reconcileStatus(context, statusWritten) },
  ];
}
