import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { run } from '../program.ts';

/** What a command printed and how it ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. */
export const kafkaWarden = async (...args: string[]): Promise<Ended> => {
  let out = '';
  let err = '';
  const code = await run(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    paint: (_stream, _style, text) => text,
    colour: { out: false, err: false },
  });
  return { code, out, err };
};

const root = mkdtempSync(join(tmpdir(), 'kafka-warden-cli-'));
after(() => rmSync(root, { recursive: true }));

/** Writes a file for this test file's commands and returns its path. */
export const file = (name: string, content: string | Uint8Array): string => {
  const path = join(root, name);
  writeFileSync(path, content);
  return path;
};

/** Writes files into a directory of their own and returns its path. */
export const folder = (name: string, files: Readonly<Record<string, string>>): string => {
  mkdirSync(join(root, name));
  for (const [each, content] of Object.entries(files)) file(join(name, each), content);
  return join(root, name);
};

/** A plain Kafka as people write it, with its comments and habits. */
export const plainKafka = `# The orders cluster, three brokers
apiVersion: v1
kind: Service
metadata:
  name: kafka
spec:
  clusterIP: None   # headless
  selector: {app: kafka}
  ports:
    - port: 9092
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: kafka
  labels: {app: kafka}
spec:
  serviceName: kafka
  replicas: 3 # odd
  selector:
    matchLabels: {app: kafka}
  template:
    metadata:
      labels: {app: kafka}
    spec:
      terminationGracePeriodSeconds: 30 # the default
      containers:
        - name: kafka
          image: "apache/kafka:4.1.0"
          # clients connect here
          ports:
            - containerPort: 9092
          env:
            # a day
            - name: KAFKA_LOG_RETENTION_HOURS
              value: "24"
          resources:
            requests: {cpu: 500m, memory: 1Gi}
            limits: {memory: 2Gi}
          volumeMounts:
            - {name: data, mountPath: /var/lib/kafka/data}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
---
# not ours
apiVersion: v1
kind:   ConfigMap
metadata: {name:   untouched}
data:
  on: "yes"


# the end
`;
