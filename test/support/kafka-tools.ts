import { type Cluster, images } from '../cluster/index.ts';

const bin = '/opt/kafka/bin';

/** Of a JVM that has to carry much data over TLS: the image's own stop at the first compiler, which does not know AES. */
export const bulkOptions = '-XX:+UseSerialGC -Djava.awt.headless=true';

/** Kafka's own command-line tools in a pod beside a hardened cluster, as a KafkaUser that may do everything. */
export interface KafkaTools {
  /** Runs a shell script in which `$SERVER` is the option for the servers and `$CONFIG` the file of client properties. */
  shell(script: string): Promise<string>;
  /** Creates a topic; `assignment` lists the brokers of each partition. */
  createTopic(
    name: string,
    assignment: readonly (readonly number[])[],
    configs?: readonly string[],
  ): Promise<void>;
  /** The id of the controller that leads the quorum. */
  quorumLeader(): Promise<number>;
  /** Writes records to a topic, of 1 KiB where nothing else is said, spread over its partitions, with acks=all. */
  fill(topic: string, records: number, recordBytes?: number): Promise<void>;
}

/** Starts the pod and waits until it is ready; `user` is made too. */
export async function startKafkaTools(
  cluster: Cluster,
  { namespace, kafka, user = 'tools' }: { namespace: string; kafka: string; user?: string },
): Promise<KafkaTools> {
  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);
  await cluster.apply({
    apiVersion: 'kafka-warden.io/v1alpha1',
    kind: 'KafkaUser',
    metadata: { name: user, namespace },
    spec: {
      cluster: kafka,
      acls: [
        { resource: { type: 'cluster' }, operations: ['All'] },
        { resource: { type: 'topic', name: '*' }, operations: ['All'] },
        { resource: { type: 'group', name: '*' }, operations: ['All'] },
        { resource: { type: 'transactionalId', name: '*' }, operations: ['All'] },
      ],
    },
  });
  await kubectl('wait', `kafkauser/${user}`, '--for=condition=Ready', '--timeout=90s');
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: user, namespace },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'tools',
          image: images.kafka41,
          imagePullPolicy: 'IfNotPresent',
          command: ['sleep', '36000'],
          env: [
            { name: 'KAFKA_HEAP_OPTS', value: '-Xmx192m' },
            { name: 'KAFKA_JVM_PERFORMANCE_OPTS', value: bulkOptions },
          ],
          volumeMounts: [{ name: 'user', mountPath: '/etc/kafka-user' }],
        },
      ],
      volumes: [{ name: 'user', secret: { secretName: `${user}-kafka-user` } }],
    },
  });
  await kubectl('wait', `pod/${user}`, '--for=condition=Ready', '--timeout=60s');
  const before = [
    'CONFIG=/etc/kafka-user/client.properties',
    'SERVER="--bootstrap-server $(cat /etc/kafka-user/bootstrap.servers)"',
    `export PATH=$PATH:${bin}`,
  ].join('\n');
  const shell = (script: string) => kubectl('exec', user, '--', 'bash', '-c', `${before}\n${script}`);
  return {
    shell,
    async createTopic(name, assignment, configs = []) {
      const replicas = assignment.map((brokers) => brokers.join(':')).join(',');
      const settings = configs.map((config) => `--config ${config}`).join(' ');
      // The tool asks again where an answer is late, and would then find the topic there.
      await shell(
        `kafka-topics.sh $SERVER --command-config $CONFIG --create --if-not-exists --topic ${name} --replica-assignment ${replicas} ${settings}`,
      );
    },
    async quorumLeader() {
      const said = await shell('kafka-metadata-quorum.sh $SERVER --command-config $CONFIG describe --status');
      const id = /LeaderId:\s+(\d+)/.exec(said)?.[1];
      if (id === undefined) throw new Error(`the quorum has no leader: ${said}`);
      return Number(id);
    },
    async fill(topic, records, recordBytes = 1024) {
      await shell(
        `kafka-producer-perf-test.sh --topic ${topic} --num-records ${records} --record-size ${recordBytes} --throughput -1 ` +
          '--producer.config $CONFIG --producer-props bootstrap.servers=$(cat /etc/kafka-user/bootstrap.servers) acks=all batch.size=65536 linger.ms=20',
      );
    },
  };
}
