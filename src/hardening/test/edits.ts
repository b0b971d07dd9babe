import fc from 'fast-check';
import type { StatefulSet } from '../model.ts';
import { clone, type JsonObject } from '../tree.ts';
import { lifecycles, probes, spreads } from './arbitrary.ts';

/** A change that a user makes to the manifest between two writes. */
export interface Edit {
  name: string;
  /** It writes the very value that hardening had put there: from then on nobody can tell whose it is. */
  coincides?: boolean;
  apply: (set: StatefulSet) => StatefulSet;
}

type Loose = JsonObject & Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any

const onPod = (name: string, change: (pod: Loose) => void): Edit => ({
  name,
  apply: (set) => {
    const copy = clone(set);
    change(copy.spec?.template.spec as unknown as Loose);
    return copy;
  },
});

const onBroker = (name: string, change: (container: Loose) => void): Edit =>
  onPod(name, (pod) => {
    const containers = pod['containers'] as Loose[];
    change(containers.find((c) => c['name'] === 'kafka') ?? {});
  });

const setOrDelete = (holder: Loose, key: string, value: unknown) => {
  if (value === undefined) delete holder[key];
  else holder[key] = value as never;
};

const setEnv = (name: string, value: string): Edit =>
  onBroker(`env ${name}=${value}`, (c) => {
    const env = (c['env'] ??= []) as Loose[];
    const entry = env.find((e) => e['name'] === name);
    if (entry === undefined) env.push({ name, value });
    else {
      delete entry['valueFrom'];
      entry['value'] = value;
    }
  });

/** Changes of image, environment, command, probes, grace period, security, spread, and removals of each. */
export const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.constantFrom(
    onBroker('image', (c) => void (c['image'] = 'apache/kafka:4.1.1')),
    setEnv('KAFKA_LOG_RETENTION_HOURS', '7'),
    setEnv('KAFKA_MIN_INSYNC_REPLICAS', '1'),
    setEnv('CLUSTER_ID', 'MkU3OEVBNTcwNTJENDM2Qg'),
    onBroker('no env', (c) => delete c['env']),
    onBroker('first env entry gone', (c) => void (c['env'] as Loose[] | undefined)?.shift()),
    onBroker('command', (c) => {
      delete c['args'];
      c['command'] = ['sh', '-c', 'export KAFKA_LOG_RETENTION_HOURS=3; exec /etc/kafka/docker/run'];
    }),
    onBroker('no command', (c) => {
      delete c['command'];
      delete c['args'];
    }),
    onBroker('no securityContext', (c) => delete c['securityContext']),
    onBroker('no volumeMounts but one', (c) => void (c['volumeMounts'] as Loose[] | undefined)?.splice(1)),
    onPod('no pod securityContext', (p) => delete p['securityContext']),
    onPod('no affinity', (p) => delete p['affinity']),
    onPod('no spread', (p) => delete p['topologySpreadConstraints']),
    onPod('seccomp', (p) => (p['securityContext'] = { seccompProfile: { type: 'RuntimeDefault' } })),
    onPod('a sidecar', (p) => void (p['containers'] as Loose[]).push({ name: 'late', image: 'busybox:1' })),
    onPod('a toleration', (p) => (p['tolerations'] = [{ operator: 'Exists' }])),
  ),
  fc.constantFrom(60, 360, 900, undefined).map((grace) => ({
    ...onPod(`grace ${grace}`, (p) => setOrDelete(p, 'terminationGracePeriodSeconds', grace)),
    coincides: grace === 360,
  })),
  fc
    .tuple(
      fc.constantFrom('readinessProbe', 'livenessProbe', 'startupProbe'),
      fc.option(probes, { nil: undefined }),
    )
    // A startup probe of our port is ours to the letter once it is merged with ours.
    .filter(([kind, probe]) => kind !== 'startupProbe' || probe === undefined || !('tcpSocket' in probe))
    .map(([kind, probe]) => ({
      ...onBroker(`${kind} ${JSON.stringify(probe)}`, (c) => setOrDelete(c, kind, probe)),
      coincides: probe !== undefined && 'tcpSocket' in probe,
    })),
  fc
    .option(lifecycles, { nil: undefined })
    .map((lifecycle) =>
      onBroker(`lifecycle ${JSON.stringify(lifecycle)}`, (c) => setOrDelete(c, 'lifecycle', lifecycle)),
    ),
  spreads.map((constraint) =>
    onPod(
      `spread ${JSON.stringify(constraint)}`,
      (p) => (p['topologySpreadConstraints'] = [constraint] as never),
    ),
  ),
);
