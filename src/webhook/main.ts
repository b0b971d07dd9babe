import { pino } from 'pino';
import { connect, type Kube } from '../kubernetes/client.ts';
import { holdLease } from '../kubernetes/lease.ts';
import type { Log } from '../kubernetes/object.ts';
import { hardenAndCheck } from '../upgrade/admission.ts';
import { followCertificate, keepCertificates } from './certificates.ts';
import { clusterView } from './cluster-view.ts';
import { keepClientIdentity } from './client-identity.ts';
import { reportUnhardened } from './enrolment.ts';
import { evictionGate } from './eviction-gate.ts';
import { budgetsOver } from './handlers/budgets-validate.ts';
import { healthApp, serveHealth } from './health.ts';
import { startInformers, webhookInformers, type WebhookInformers } from './informers.ts';
import { reportInformerAges, webhookMetrics, type WebhookMetrics } from './metrics.ts';
import { neighboursOver } from './neighbours.ts';
import { judgeWith } from './outcomes.ts';
import { provision } from './provisioning.ts';
import { questions, type Around } from './questions.ts';
import { unreadiness } from './readiness.ts';
import { reviewApp, reviewServer, type ReviewServer, type TlsIdentity } from './server.ts';
import { installation, readSettings, type Settings } from './settings.ts';

const lease = { durationMs: 15_000, renewMs: 3_000 };

interface Parts {
  kube: Kube;
  settings: Settings;
  informers: WebhookInformers;
  metrics: WebhookMetrics;
  log: Log;
}

/** Only one replica writes; see `keepCertificates`, `provision` and `reportUnhardened`. */
async function lead({ kube, settings, informers, metrics, log }: Parts, signal: AbortSignal): Promise<void> {
  const { namespace } = settings;
  metrics.leader.set(1);
  const certificates = {
    secrets: informers.servingSecret,
    configurations: [informers.mutating, informers.validating],
  };
  const {
    namespaces,
    statefulsets: sets,
    deployments,
    serviceaccounts,
    rolebindings,
    networkpolicies,
  } = informers;
  const made = [deployments, serviceaccounts, rolebindings, networkpolicies];
  const identity = informers.clientSecret;
  try {
    await Promise.all([
      keepCertificates(kube, certificates, { namespace, log, signal }),
      keepClientIdentity(kube, { secrets: identity, deployments }, { namespace, log, signal }),
      provision(
        kube,
        { namespaces, sets, made, identity },
        { settings: { ...settings, wardenNamespace: namespace }, metrics, log, signal },
      ),
      reportUnhardened(kube, { namespaces, sets }, { mode: settings.mode, metrics, log, signal }),
    ]);
  } finally {
    metrics.leader.set(0);
    metrics.unhardened.reset();
  }
}

/** The review server starts with the first certificate, and changes it with each later one. */
function serveReviews({ kube, settings, informers, metrics, log }: Parts): {
  server: () => ReviewServer | undefined;
  port: () => number | undefined;
} {
  const judge = judgeWith(settings.mode, hardenAndCheck);
  const around: Around = {
    view: clusterView(informers),
    neighbours: neighboursOver(kube, log),
    gate: evictionGate(kube, informers, { metrics, log }),
    hasBudget: budgetsOver(kube),
  };
  const app = reviewApp(questions(judge, around), { log, metrics });
  let server: ReviewServer | undefined;
  let port: number | undefined;
  const present = (identity: TlsIdentity) => {
    if (server) return server.present(identity);
    server = reviewServer(app, identity);
    void server.listen(settings.reviewPort).then((listening) => {
      port = listening;
      log.info({ port }, 'answering reviews');
    });
  };
  followCertificate({ secrets: informers.servingSecret }, metrics, present);
  return { server: () => server, port: () => port };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/**
 * Runs the webhook until the signal aborts, then ends it without failing a review. Throws where the environment is not
 * usable (`settings-invalid`) or a port is taken; everything that may pass is waited for and tried again.
 */
export async function runWebhook(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> {
  const settings = readSettings(env);
  const { namespace, pod } = settings;
  const log = pino({ level: settings.logLevel, base: { part: 'webhook', pod } });
  const kube = await connect({ env });
  const metrics = webhookMetrics();
  const informers = webhookInformers(kube, namespace, log);
  reportInformerAges(metrics, informers);
  // Outlives `signal`: a replica that is shutting down still answers reviews.
  const watching = new AbortController();
  const parts: Parts = { kube, settings, informers, metrics, log };
  const reviews = serveReviews(parts);
  let synced = false;
  const app = healthApp(metrics.registry, () =>
    unreadiness({
      namespace,
      port: reviews.port,
      synced: () => synced,
      draining: () => signal.aborted,
      configurations: [informers.mutating, informers.validating],
    }),
  );
  const health = await serveHealth(app, settings.healthPort);
  const started = startInformers(informers, watching.signal).then(() => void (synced = true));
  const candidacy = Promise.race([started, aborted(signal)]).then(() =>
    holdLease(kube, {
      ...lease,
      namespace,
      name: installation.name,
      identity: pod,
      log,
      signal,
      lead: (term) => lead(parts, term),
    }),
  );
  await aborted(signal);
  log.info(
    { drainMs: settings.drainMs },
    'shutting down: answering until endpoints have forgotten this replica',
  );
  await Promise.all([reviews.server()?.drain(settings.drainMs), candidacy]);
  watching.abort();
  health.close();
}
