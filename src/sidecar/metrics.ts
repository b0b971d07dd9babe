import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Everything that `/metrics` shows, each defined once. */
export function createMetrics(cluster: string) {
  const registry = new Registry();
  registry.setDefaultLabels({ cluster });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  /** When the gate's evidence was read, in milliseconds since 1970; the age is told when somebody asks. */
  const gateEvidence: { readAtMs: number | undefined } = { readAtMs: undefined };
  new Gauge({
    name: 'kafka_warden_gate_evidence_age_seconds',
    help: 'Age of what the eviction gate has read of Kafka; NaN while it has read nothing.',
    registers,
    collect() {
      const { readAtMs } = gateEvidence;
      this.set(readAtMs === undefined ? NaN : (Date.now() - readAtMs) / 1_000);
    },
  });
  return {
    gateEvidence,
    evictions: new Counter({
      name: 'kafka_warden_evictions_total',
      help: 'Evictions that were asked for (dry runs left out), by verdict and reason.',
      labelNames: ['verdict', 'reason'],
      registers,
    }),
    stopsHeld: new Counter({
      name: 'kafka_warden_stops_held_total',
      help: 'Pods that were told to wait before they stop, as partitions would have fallen below their minimum.',
      registers,
    }),
    disruptionHeld: new Gauge({
      name: 'kafka_warden_disruption_held',
      help: '1 while a disruption of this kind holds the disruption record.',
      labelNames: ['kind'],
      registers,
    }),
    registry,
    certificateExpiry: new Gauge({
      name: 'kafka_warden_certificate_expiry_seconds',
      help: 'When the certificate in the keystore ends, in seconds since 1970.',
      labelNames: ['pod', 'store'],
      registers,
    }),
    presentedCertificateExpiry: new Gauge({
      name: 'kafka_warden_presented_certificate_expiry_seconds',
      help: 'When the certificate that the running process presents ends, in seconds since 1970.',
      labelNames: ['pod', 'store'],
      registers,
    }),
    users: new Gauge({
      name: 'kafka_warden_users',
      help: 'KafkaUsers of the cluster, by whether they are ready.',
      labelNames: ['ready'],
      registers,
    }),
    brokersRegistered: new Gauge({
      name: 'kafka_warden_brokers_registered',
      help: 'Brokers that the cluster lists and has not fenced.',
      registers,
    }),
    brokersExpected: new Gauge({
      name: 'kafka_warden_brokers_expected',
      help: 'Broker pods that the StatefulSets ask for.',
      registers,
    }),
    underReplicated: new Gauge({
      name: 'kafka_warden_under_replicated_partitions',
      help: 'Partitions of which a replica is not in sync.',
      registers,
    }),
    rebalanceBytesMoved: new Gauge({
      name: 'kafka_warden_rebalance_bytes_moved',
      help: 'Bytes that the plan which is carried out, or was last, has copied between brokers.',
      registers,
    }),
    rebalanceBytesTotal: new Gauge({
      name: 'kafka_warden_rebalance_bytes_total',
      help: 'Bytes that this plan copies in all.',
      registers,
    }),
    rebalanceBytesPerSecond: new Gauge({
      name: 'kafka_warden_rebalance_bytes_per_second',
      help: 'How fast the plan is carried out, over the last minute; 0 while none is.',
      registers,
    }),
    reconcileSeconds: new Histogram({
      name: 'kafka_warden_reconcile_seconds',
      help: 'Duration of one pass of a duty.',
      labelNames: ['duty'],
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15],
      registers,
    }),
    reconcileErrors: new Counter({
      name: 'kafka_warden_reconcile_errors_total',
      help: 'Passes of a duty that failed.',
      labelNames: ['duty'],
      registers,
    }),
    leaseHeld: new Gauge({
      name: 'kafka_warden_lease_held',
      help: '1 while this process acts for the cluster.',
      registers,
    }),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
