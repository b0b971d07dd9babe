import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Every metric of the webhook, defined once; a registry of its own so that tests do not share one. */
export function webhookMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    reviews: new Counter({
      name: 'kafka_warden_reviews_total',
      help: 'Admission reviews answered, by question, operation and what was decided.',
      labelNames: ['question', 'operation', 'decision'] as const,
      registers,
    }),
    rules: new Counter({
      name: 'kafka_warden_review_rules_total',
      help: 'Patch operations written in reviews that were no dry runs, by rule.',
      labelNames: ['rule'] as const,
      registers,
    }),
    badRequests: new Counter({
      name: 'kafka_warden_bad_requests_total',
      help: 'Requests that were no admission review, by error code.',
      labelNames: ['code'] as const,
      registers,
    }),
    duration: new Histogram({
      name: 'kafka_warden_review_duration_seconds',
      help: 'Time from the end of the request body to the answer.',
      labelNames: ['question'] as const,
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
    sidecarAnswer: new Histogram({
      name: 'kafka_warden_sidecar_answer_seconds',
      help: 'Time until a sidecar had answered the question of an eviction, by its verdict or by why there was none.',
      labelNames: ['result'] as const,
      buckets: [0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 2],
      registers,
    }),
    overrides: new Counter({
      name: 'kafka_warden_eviction_overrides_total',
      help: 'Evictions let through because a person named the pod, whatever the gate would have said.',
      labelNames: ['namespace', 'cluster'] as const,
      registers,
    }),
    certificateExpiry: new Gauge({
      name: 'kafka_warden_certificate_expiry_timestamp_seconds',
      help: 'When the serving certificate and the authority expire.',
      labelNames: ['certificate'] as const,
      registers,
    }),
    leader: new Gauge({
      name: 'kafka_warden_leader',
      help: '1 in the replica that holds the Lease, and so runs provisioning and certificate renewal.',
      registers,
    }),
    unhardened: new Gauge({
      name: 'kafka_warden_unhardened_statefulsets',
      help: '1 for each Kafka StatefulSet of an enrolled namespace that is not hardened, with the rule that says why; known to the leader only.',
      labelNames: ['namespace', 'statefulset', 'rule'] as const,
      registers,
    }),
    sidecars: new Gauge({
      name: 'kafka_warden_sidecars',
      help: 'Kafka clusters that have a sidecar; known to the leader only.',
      registers,
    }),
  };
}

export type WebhookMetrics = ReturnType<typeof webhookMetrics>;

/** Adds the age of each informer to the registry, asked when it is scraped. */
export function reportInformerAges(
  { registry }: WebhookMetrics,
  informers: Readonly<Record<string, { ageMs: () => number }>>,
): void {
  const gauge: Gauge<'informer'> = new Gauge({
    name: 'kafka_warden_informer_age_seconds',
    help: 'Time since the API server was last heard on each watch.',
    labelNames: ['informer'] as const,
    registers: [registry],
    collect: () => {
      for (const [informer, { ageMs }] of Object.entries(informers)) gauge.set({ informer }, ageMs() / 1_000);
    },
  });
}
