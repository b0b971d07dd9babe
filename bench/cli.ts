/**
 * `npm run bench:cli`: the wall time of the compiled `kafka-warden harden` on one manifest, beside that of a bare
 * `node -e 0` in the same run, so that a slow or busy machine shows. Build first.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const runs = Number(process.argv[2] ?? 10);
const limitMs = 400;
const program = resolve(import.meta.dirname, '../dist/src/cli/main.js');

const manifest = `apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: kafka
spec:
  serviceName: kafka
  replicas: 3
  selector:
    matchLabels: {app: kafka}
  template:
    metadata:
      labels: {app: kafka}
    spec:
      containers:
        - name: kafka
          image: apache/kafka:4.1.0
          volumeMounts:
            - {name: data, mountPath: /var/lib/kafka/data}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
`;

const elapsedMs = (args: readonly string[]): number => {
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - started;
};

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
};

const text = (values: readonly number[]): string => {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `median ${Math.round(median(values))} ms (${Math.round(least)} to ${Math.round(most)})`;
};

if (!existsSync(program)) {
  console.error('The program is not compiled: npm run build.');
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'kafka-warden-bench-'));
const file = join(folder, 'kafka.yaml');
writeFileSync(file, manifest);
const bare: number[] = [];
const harden: number[] = [];
// The first start fills Node's compile cache and the page cache.
elapsedMs([program, 'harden', '-q', '-f', file]);
for (let run = 0; run < runs; run++) {
  bare.push(elapsedMs(['-e', '0']));
  harden.push(elapsedMs([program, 'harden', '-q', '-f', file]));
}
rmSync(folder, { recursive: true });
console.log(`node -e 0            ${text(bare)}`);
console.log(
  `kafka-warden harden  ${text(harden)}, ${(median(harden) / median(bare)).toFixed(1)} × bare, over ${runs} runs`,
);
console.log(median(harden) <= limitMs ? `within ${limitMs} ms` : `over ${limitMs} ms`);
process.exitCode = median(harden) <= limitMs ? 0 : 1;
