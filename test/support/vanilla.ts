import { stringify } from 'yaml';
import { images } from '../cluster/index.ts';

/** A Kafka as people first write it: an image, a volume, a headless Service, and nothing else. */
export interface Vanilla {
  name: string;
  namespace: string;
  replicas?: number;
  image?: string;
  /** Annotations of the StatefulSet. */
  annotations?: Record<string, string>;
  /** Added to the broker's container. */
  container?: Record<string, unknown>;
  /** Added to the pod. */
  pod?: Record<string, unknown>;
}

/** The objects of a vanilla Kafka: Service and StatefulSet. */
export function vanillaObjects({
  name,
  namespace,
  replicas = 3,
  image = images.kafka41,
  annotations,
  container,
  pod,
}: Vanilla): object[] {
  const labels = { app: name };
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { clusterIP: 'None', selector: labels, ports: [{ name: 'kafka', port: 9092 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name, namespace, ...(annotations === undefined ? {} : { annotations }) },
      spec: {
        serviceName: name,
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            ...pod,
            containers: [
              {
                name: 'kafka',
                image: image.replace(/^docker\.io\//, ''),
                ports: [{ name: 'kafka', containerPort: 9092 }],
                volumeMounts: [{ name: 'data', mountPath: '/var/lib/kafka/data' }],
                ...container,
              },
            ],
          },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    },
  ];
}

/** The same as a file. */
export const vanillaManifest = (vanilla: Vanilla): string =>
  vanillaObjects(vanilla)
    .map((o) => stringify(o))
    .join('---\n');
