import type { Container, PodSpec, StatefulSet } from '../model.ts';

/** What a test says of a StatefulSet; the rest is the minimal manifest. */
export interface Parts {
  name?: string;
  image?: string;
  /** Literal variables of the broker. */
  env?: Record<string, string>;
  /** Fields of the broker's container, over the others. */
  container?: Partial<Container>;
  /** Containers before and after the broker. */
  before?: Container[];
  after?: Container[];
  pod?: Partial<PodSpec>;
  spec?: Partial<NonNullable<StatefulSet['spec']>>;
  annotations?: Record<string, string>;
  labels?: Record<string, string>;
  /** false: no claim template and no mount. */
  claim?: boolean;
}

const data = { name: 'data', mountPath: '/var/lib/kafka/data' };

/** A Kafka StatefulSet `kafka` of three replicas with one claim each. */
export function kafka(parts: Parts = {}): StatefulSet {
  const { name = 'kafka', image = 'apache/kafka:4.1.0', env = {}, claim = true } = parts;
  const variables = Object.entries(env).map(([key, value]) => ({ name: key, value }));
  const broker: Container = {
    name: 'kafka',
    image,
    ...(variables.length > 0 ? { env: variables } : {}),
    ...(claim ? { volumeMounts: [data] } : {}),
    ...parts.container,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name,
      ...(parts.annotations ? { annotations: parts.annotations } : {}),
      ...(parts.labels ? { labels: parts.labels } : {}),
    },
    spec: {
      serviceName: 'kafka',
      replicas: 3,
      selector: { matchLabels: { app: 'kafka' } },
      ...parts.spec,
      template: {
        metadata: { labels: { app: 'kafka' } },
        spec: { ...parts.pod, containers: [...(parts.before ?? []), broker, ...(parts.after ?? [])] },
      },
      ...(claim
        ? {
            volumeClaimTemplates: [
              {
                metadata: { name: 'data' },
                spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
              },
            ],
          }
        : {}),
    },
  };
}

/** The broker's container of a hardened set. */
export const brokerOf = (set: StatefulSet): Container => {
  const found = set.spec?.template.spec?.containers.find((c) => c.name === 'kafka');
  if (found === undefined) throw new Error('there is no container named kafka');
  return found;
};

/** The value of one of the broker's variables. */
export const variable = (set: StatefulSet, name: string): string | undefined =>
  brokerOf(set).env?.find((e) => e.name === name)?.value;

/** The settings that the launcher is given, a line each. */
export const settings = (set: StatefulSet): string[] => (variable(set, 'WARDEN_SETTINGS') ?? '').split('\n');
