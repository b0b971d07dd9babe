/** One way of configuring the image: what is added to the container, and objects beside the set. */
export interface Delivery {
  name: string;
  container: (namespace: string) => Record<string, unknown>;
  /** Added to the pod. */
  pod?: Record<string, unknown>;
  extra: (namespace: string) => object[];
}

const voters = (namespace: string, shift: number) =>
  [0, 1, 2].map((i) => `${i + shift}@kafka-${i}.kafka.${namespace}.svc.cluster.local:9093`).join(',');
const none = () => [];

/** The deliveries of this profile that a minimal manifest does not show. */
export const deliveries: readonly Delivery[] = [
  {
    name: 'environment',
    extra: none,
    container: () => ({
      env: [
        { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        {
          name: 'KAFKA_NODE_ID',
          valueFrom: { fieldRef: { fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']" } },
        },
        { name: 'KAFKA_PROCESS_ROLES', value: 'broker,controller' },
        { name: 'KAFKA_LISTENERS', value: 'PLAINTEXT://:9092,CONTROLLER://:29093' },
        { name: 'KAFKA_ADVERTISED_LISTENERS', value: 'PLAINTEXT://$(POD).kafka:9092' },
        { name: 'KAFKA_CONTROLLER_LISTENER_NAMES', value: 'CONTROLLER' },
        {
          name: 'KAFKA_CONTROLLER_QUORUM_VOTERS',
          value: '0@kafka-0.kafka:29093,1@kafka-1.kafka:29093,2@kafka-2.kafka:29093',
        },
        { name: 'KAFKA_LISTENER_SECURITY_PROTOCOL_MAP', value: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT' },
        { name: 'KAFKA_INTER_BROKER_LISTENER_NAME', value: 'PLAINTEXT' },
        { name: 'KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR', value: '1' },
        { name: 'KAFKA_LOG_DIRS', value: '/tmp/kraft-combined-logs' },
      ],
    }),
  },
  {
    name: 'shell command',
    extra: none,
    container: (namespace) => ({
      env: [{ name: 'KAFKA_CONTROLLER_QUORUM_VOTERS', value: voters(namespace, 1) }],
      command: [
        'sh',
        '-c',
        [
          'export KAFKA_NODE_ID=$(( ${HOSTNAME##*-} + 1 ))',
          'export KAFKA_PROCESS_ROLES=broker,controller KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER',
          'export KAFKA_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093',
          `export KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://$HOSTNAME.kafka.${namespace}.svc.cluster.local:9092`,
          'exec /etc/kafka/docker/run',
        ].join('\n'),
      ],
    }),
  },
  {
    name: 'mounted file',
    pod: { volumes: [{ name: 'configuration', configMap: { name: 'kafka' } }] },
    extra: (namespace) => [
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'kafka', namespace },
        data: {
          'server.properties': [
            'process.roles=broker,controller',
            'listeners=PLAINTEXT://:9092,CONTROLLER://:9093',
            'controller.listener.names=CONTROLLER',
            `controller.quorum.voters=${voters(namespace, 0)}`,
            'log.dirs=/var/lib/kafka/data/logs',
            'offsets.topic.replication.factor=1',
            '',
          ].join('\n'),
        },
      },
    ],
    container: () => ({
      volumeMounts: [
        { name: 'data', mountPath: '/var/lib/kafka/data' },
        { name: 'configuration', mountPath: '/mnt/shared/config' },
      ],
    }),
  },
];
