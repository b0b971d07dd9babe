import type { Cluster } from '../cluster/index.ts';
import { run } from '../cluster/command.ts';
import { until } from '../support/until.ts';
import { parseDump } from './metadata-dump.ts';
import { judge, type MetadataVerdict, type Question } from './metadata-log.ts';

/** Prints one node's metadata log with Kafka's own decoder. */
export type Dump = () => Promise<string>;

/**
 * Lists the segments and snapshots wherever the image keeps them, and decodes them by the image's own tool, with a small heap and without the broker's
 * own options (ports of JMX, agents, login modules).
 */
const inPod = `
set -e
log=$(find /var/lib/kafka /var/kafka-logs /bitnami/kafka /tmp -type d -name __cluster_metadata-0 2>/dev/null | head -n 1)
[ -n "$log" ] || { echo "no __cluster_metadata-0 below the usual folders" >&2; exit 1; }
files=$(find "$log" -maxdepth 1 \\( -name '*.log' -o -name '*.checkpoint' \\) | sort | tr '\\n' ',')
for tool in /opt/kafka/bin/kafka-dump-log.sh /opt/bitnami/kafka/bin/kafka-dump-log.sh /usr/bin/kafka-dump-log; do
  if [ -x "$tool" ]; then
    unset KAFKA_OPTS KAFKA_JMX_OPTS KAFKA_JMX_PORT JMX_PORT KAFKA_GC_LOG_OPTS
    KAFKA_HEAP_OPTS=-Xmx96M exec "$tool" --cluster-metadata-decoder --files "\${files%,}"
  fi
done
echo "no kafka-dump-log in this image" >&2
exit 1
`;

/** A node of a cluster on Kubernetes: nothing leaves the pod but the text. */
export const dumpOfPod =
  (cluster: Cluster, namespace: string, pod: string, container = 'kafka'): Dump =>
  () =>
    cluster.kubectl(['-n', namespace, 'exec', pod, '-c', container, '--', 'sh', '-c', inPod]);

/** A folder `__cluster_metadata-0` on this machine, decoded by the jars in `libs`. */
export const dumpOfFolder =
  (folder: string, libs: string): Dump =>
  () =>
    run('bash', [
      '-euo',
      'pipefail',
      '-c',
      `files=$(find "$1" -maxdepth 1 \\( -name '*.log' -o -name '*.checkpoint' \\) | sort | paste -sd,)
       exec java -Xmx96M -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$2/*" kafka.tools.DumpLogSegments --cluster-metadata-decoder --files "$files"`,
      'dump',
      folder,
      libs,
    ]);

/**
 * Judges an interval that is over by the first node whose log covers it. A record reaches each node within a second, a snapshot may be replaced while it is read:
 * both are asked again for a minute.
 */
export const judgeInterval = (dumps: readonly Dump[], question: Question): Promise<MetadataVerdict> =>
  until(
    'a node has a metadata log that covers the interval',
    async () => {
      const reasons: unknown[] = [];
      for (const dump of dumps)
        try {
          return judge(parseDump(await dump()), question);
        } catch (reason) {
          reasons.push(reason);
        }
      throw new AggregateError(reasons, reasons.map(String).join('; '));
    },
    { timeoutMs: 60_000, everyMs: 2_000 },
  );
