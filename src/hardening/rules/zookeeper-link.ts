import { literal, type Value } from '../configuration.ts';
import { pointerTo, type Rule } from '../draft.ts';
import type { Observed } from './observed.ts';

/** Perhaps set by what is mounted and cannot be seen; the image's own files set no TLS for ZooKeeper. */
const isMounted = (value: Value) => value.state === 'unknown' && /^\/(volumeMounts|envFrom)/.test(value.from);

export const zookeeperLink: Rule = {
  id: 'zookeeper-link',
  title: 'A closed link to ZooKeeper',
  why: "ZooKeeper holds the cluster's metadata, ACLs and SCRAM credentials: whoever reaches it unencrypted and unauthenticated can read and change them, past everything that the brokers check. Kafka 4 has no ZooKeeper mode at all.",
  remedy:
    "Migrate to KRaft (3.9 is the last version that can); until then let ZooKeeper serve TLS, set zookeeper.ssl.client.enable=true with zookeeper.clientCnxnSocket, keystore and truststore, and allow only the brokers in ZooKeeper's NetworkPolicy.",
  severity: 'error',
  since: 1,
  apply({ configuration, containerIndex, report }: Observed) {
    const connect = configuration.property('zookeeper.connect');
    if (!('from' in connect) || connect.state === 'unknown') return;
    const tls = configuration.property('zookeeper.ssl.client.enable');
    if (literal(tls) === 'true' || tls.state === 'computed' || isMounted(tls)) return;
    if (literal(configuration.variable('KAFKA_OPTS'))?.includes('zookeeper.client.secure=true') === true)
      return;
    const where = literal(connect);
    report({
      path: pointerTo(containerIndex, connect.from),
      message: `the link to ZooKeeper${where === undefined ? '' : ` (${where})`} is neither encrypted nor authenticated`,
    });
  },
};
