import { superUsers } from '../../hardening/principals.ts';
import { keysSecretOf } from '../../names.ts';
import type { Added, Member } from './member.ts';

/** A Kafka property of one set that a stage changes; null: not set. */
export interface Change {
  set: string;
  setting: string;
  from: string | null;
  to: string | null;
}

/** One stage of an adoption, which is one roll of some of the sets. */
export interface Stage {
  number: number;
  title: string;
  why: string;
  changes: Change[];
  opens: { set: string; port: number; listener: string }[];
  closes: { set: string; port: number; listener: string }[];
  /** In the order in which they go, one pod at a time. */
  restarts: { set: string; pods: string[] }[];
  clients: string;
  check: string[];
  back: string;
}

/** The cluster as a whole. */
export interface Cluster {
  readonly namespace: string;
  readonly zookeeper: boolean;
  readonly members: readonly Member[];
}

const anonymous = 'User:ANONYMOUS';

const bound = (listeners: readonly { name: string; host?: string; port: number }[]) =>
  listeners.map((l) => `${l.name}://${l.host ?? ''}:${l.port}`).join(',');

const present = ({ old }: Member) => [...old.listeners, ...old.quorum];
const oldQuorum = (members: readonly Member[]) =>
  members.find((m) => m.old.quorum.length > 0)?.old.quorum[0]?.name ?? 'CONTROLLER';

const newQuorum = (members: readonly Member[]) =>
  members.flatMap((m) => m.added).find((l) => l.purpose === 'quorum')?.name ?? 'QUORUM';

/** What is told of listeners: a pod's own name, or the host that another listener is advertised by. */
const told = (m: Member, listeners: readonly { name: string; port: number; from?: string }[]) =>
  listeners
    .map((l) =>
      l.from === undefined || l.from === ''
        ? `${l.name}://POD.${m.host}:${l.port}`
        : `${l.name}://(host of ${l.from}):${l.port}`,
    )
    .join(',');

const advertisable = (m: Member) => m.added.filter((l) => l.purpose !== 'quorum');
const oldAdvertised = (m: Member) => m.advertised ?? told(m, m.old.listeners);
const bothAdvertised = (m: Member) => joined(oldAdvertised(m), told(m, advertisable(m)));
const bothBound = (m: Member) => joined(bound(present(m)), bound(m.added));
/** The added listeners under the names that hardened sets have. */
const renamed = (listeners: readonly Added[]) => listeners.map((l) => ({ ...l, name: l.finally }));

const joined = (...parts: (string | undefined)[]) =>
  parts.filter((p) => p !== undefined && p !== '').join(',');

const mapOf = (listeners: readonly { name: string; protocol: string }[]) =>
  listeners.map((l) => `${l.name}:${l.protocol}`).join(',');

/** Restarts of the sets that a stage touches; controllers first where it says so. */
const restartsOf = (members: readonly Member[], controllersFirst = false) => {
  const ordered = controllersFirst
    ? [...members.filter((m) => m.controls), ...members.filter((m) => !m.controls)]
    : members;
  return ordered.map((m) => ({ set: m.name, pods: [...m.pods] }));
};

const bootstrapOf = ({ members }: Cluster, pick: (m: Member) => number): string => {
  const broker = members.find((m) => m.serves) ?? members[0];
  return broker === undefined ? '' : `${broker.pods.at(-1)}.${broker.host}:${pick(broker)}`;
};

const oldPort = (m: Member) => m.old.listeners[0]?.port ?? 9092;

const inSync = (cluster: Cluster, clientsOnly: boolean) =>
  `kafka-topics.sh --bootstrap-server ${bootstrapOf(cluster, clientsOnly ? (m) => m.clientPort : oldPort)}${clientsOnly ? ' --command-config client.properties' : ''} --describe --under-replicated-partitions prints nothing, after each pod and at the end.`;

const quorumStands = (cluster: Cluster) =>
  cluster.zookeeper
    ? []
    : [
        `kafka-metadata-quorum.sh --bootstrap-server ${bootstrapOf(cluster, oldPort)} describe --status names a leader, and MaxFollowerLag is near 0.`,
      ];

/** `{client,internal}`, or one name alone. */
function braced(listeners: readonly Added[]): string {
  const names = listeners.map((l) => l.name.toLowerCase());
  return names.length === 1 ? (names[0] ?? '') : `{${names.join(',')}}`;
}

/** What one set gets in the first stage. */
function opening(m: Member, { zookeeper, members }: Cluster): Change[] {
  const quorum = oldQuorum(members);
  const next = newQuorum(members);
  const beside = m.controls || zookeeper ? [] : [{ name: next, protocol: 'SSL' }];
  const map = m.map ?? mapOf(present(m).map((l) => ({ name: l.name, protocol: 'PLAINTEXT' })));
  const sasl = m.added.filter((l) => l.protocol === 'SASL_SSL');
  const change = (setting: string, from: string | undefined, to: string): Change => {
    return { set: m.name, setting, from: from ?? null, to };
  };
  return [
    change('listeners', bound(present(m)), bothBound(m)),
    ...(m.serves ? [change('advertised.listeners', m.advertised, bothAdvertised(m))] : []),
    change('listener.security.protocol.map', m.map, joined(map, mapOf([...m.added, ...beside]))),
    ...(zookeeper ? [] : [change('controller.listener.names', quorum, `${quorum},${next}`)]),
    change(
      `listener.name.${braced(m.added)}.ssl.*`,
      undefined,
      `each pod's certificate and the nodes' authority, from the Secret ${keysSecretOf(m.name)}`,
    ),
    ...(sasl.length === 0
      ? []
      : [change(`listener.name.${braced(sasl)}.sasl.enabled.mechanisms`, undefined, 'SCRAM-SHA-512')]),
  ];
}

function open(cluster: Cluster): Stage {
  const { members, zookeeper } = cluster;
  return {
    number: 1,
    title: 'Open the closed listeners beside the open ones',
    why: zookeeper
      ? 'Every broker has to listen before anybody connects. Nothing uses the new listeners yet.'
      : 'Every node has to listen before anybody connects. The second controller listener stands second in the list: nodes connect to controllers by the first one.',
    changes: members.flatMap((m) => opening(m, cluster)),
    opens: members.flatMap((m) => m.added.map((l) => ({ set: m.name, port: l.port, listener: l.name }))),
    closes: [],
    restarts: restartsOf(members, true),
    clients: 'Nothing: they stay where they are.',
    check: [
      ...members.map(
        (m) =>
          `openssl s_client -connect ${m.pods.at(-1)}.${m.host}:${m.added[0]?.port} shows a certificate with that pod's name, for each pod of ${m.name}.`,
      ),
      ...quorumStands(cluster),
      inSync(cluster, false),
    ],
    back: 'Take the added settings out again and restart once more: nothing depends on them yet.',
  };
}

function switchQuorum(cluster: Cluster): Stage {
  const { members } = cluster;
  const quorum = oldQuorum(members);
  const next = newQuorum(members);
  const port = members.find((m) => m.controls)?.quorumPort;
  const voters = members.find((m) => m.voters !== undefined)?.voters;
  const moved = voters?.replaceAll(/:(\d+)(?=,|$)/g, `:${port}`) ?? `(the same ids and hosts):${port}`;
  return {
    number: 2,
    title: 'Move the quorum to mutual TLS',
    why: 'A node reaches the controllers by the first of controller.listener.names and the ports of the voters. Since stage 1 both ports are open everywhere, so that moved and unmoved nodes understand each other.',
    changes: members.flatMap((m): Change[] => [
      {
        set: m.name,
        setting: 'controller.listener.names',
        from: `${quorum},${next}`,
        to: `${next},${quorum}`,
      },
      { set: m.name, setting: 'controller.quorum.voters', from: m.voters ?? null, to: moved },
    ]),
    opens: [],
    closes: [],
    restarts: restartsOf(members, true),
    clients: 'Nothing.',
    check: [...quorumStands(cluster), inSync(cluster, false)],
    back: 'Turn the order and the ports round again and restart: both ports are still open.',
  };
}

function moveBrokers(cluster: Cluster): Stage {
  const brokers = cluster.members.filter((m) => m.serves);
  return {
    number: 3,
    title: 'Move replication to mutual TLS',
    why: 'From here on brokers know each other by certificate, which the authorizer of stage 4 needs.',
    changes: brokers.flatMap((m): Change[] => [
      {
        set: m.name,
        setting: 'inter.broker.listener.name',
        from: m.oldInterBroker,
        to: m.added.find((l) => l.purpose === 'internal')?.name ?? null,
      },
      ...(m.oldProtocol === undefined
        ? []
        : [{ set: m.name, setting: 'security.inter.broker.protocol', from: m.oldProtocol, to: null }]),
    ]),
    opens: [],
    closes: [],
    restarts: restartsOf(brokers),
    clients: 'Nothing.',
    check: [inSync(cluster, false)],
    back: 'Write the old inter.broker.listener.name again and restart: both listeners are open, so both ways work in between.',
  };
}

const withAnonymous = (own: string | undefined) =>
  [...(own === undefined ? [] : [own]), ...superUsers, anonymous].join(';');
const withoutAnonymous = (own: string | undefined) =>
  [...(own === undefined ? [] : [own]), ...superUsers].join(';');

function authorize(cluster: Cluster): Stage {
  const authorizer = cluster.zookeeper
    ? 'kafka.security.authorizer.AclAuthorizer'
    : 'org.apache.kafka.metadata.authorizer.StandardAuthorizer';
  return {
    number: 4,
    title: 'Switch on authorisation, and let everybody pass',
    why: 'As soon as one node has the authorizer it denies what it does not know. The nodes, kafka-warden and whoever comes without credentials are super users, so that nothing changes for anybody; controllers go first, because brokers ask them.',
    changes: cluster.members.flatMap((m): Change[] => [
      { set: m.name, setting: 'authorizer.class.name', from: null, to: authorizer },
      { set: m.name, setting: 'super.users', from: m.superUsers ?? null, to: withAnonymous(m.superUsers) },
      { set: m.name, setting: 'allow.everyone.if.no.acl.found', from: null, to: 'false' },
    ]),
    opens: [],
    closes: [],
    restarts: restartsOf(cluster.members, true),
    clients: 'Nothing. From here on KafkaUsers can be made: their ACLs are kept.',
    check: [
      ...quorumStands(cluster),
      inSync(cluster, false),
      'No line with "Denied" in the authorizer\'s log (kafka.authorizer.logger).',
    ],
    back: 'Remove authorizer.class.name and restart, brokers first.',
  };
}

function moveClients(cluster: Cluster): Stage {
  const brokers = cluster.members.filter((m) => m.serves);
  const doors = brokers.map((m) => {
    const others = m.added
      .filter((l) => l.purpose === 'external')
      .map((l) => `${l.name} on ${l.port}${l.from === '' ? '' : ` instead of ${l.from}`}`);
    return `${m.name}: CLIENT on ${m.clientPort}${others.length === 0 ? '' : `, ${others.join(', ')}`}`;
  });
  return {
    number: 5,
    title: 'Move the clients',
    why: 'Each in its own time; both ways in are open. No broker restarts.',
    changes: [],
    opens: [],
    closes: [],
    restarts: [],
    clients: `For each application a KafkaUser with its ACLs; the Secret USER-kafka-user has client.properties (SASL_SSL, SCRAM-SHA-512, the authority's certificate). Then connect to the new ports (${doors.join('; ')}). Services and firewalls for clients outside need the new ports too.`,
    check: [
      `No connection is left on the old ports (${brokers.map((m) => m.old.listeners.map((l) => `${l.name} ${l.port}`).join(', ')).join('; ')}): the metric kafka.server:type=socket-server-metrics,listener=NAME, connection-count, is 0 on every broker; ss -tn inside a pod shows who is left.`,
      `kafka-acls.sh --bootstrap-server ${bootstrapOf(cluster, (m) => m.clientPort)} --command-config client.properties --list names what each application needs.`,
    ],
    back: 'A client that has trouble goes back to the old port.',
  };
}

function close(cluster: Cluster): Stage {
  return {
    number: 6,
    title: 'Let nobody in without credentials',
    why: 'The proof before the doors are shut: a client that was overlooked is denied, and one restart lets it in again.',
    changes: cluster.members.map((m): Change => ({
      set: m.name,
      setting: 'super.users',
      from: withAnonymous(m.superUsers),
      to: withoutAnonymous(m.superUsers),
    })),
    opens: [],
    closes: [],
    restarts: restartsOf(cluster.members, true),
    clients:
      'Whoever is left on an old port is denied (TopicAuthorizationException, ClusterAuthorizationException).',
    check: [
      inSync(cluster, true),
      `kafka-topics.sh --bootstrap-server ${bootstrapOf(cluster, oldPort)} --list shows no topics any more.`,
    ],
    back: `Add ${anonymous} to super.users again and restart, controllers first.`,
  };
}

function shutting(m: Member, { members, zookeeper }: Cluster): Change[] {
  const last = renamed(m.added);
  const name =
    last.find((l) => l.purpose === 'quorum')?.name ??
    renamed(members.flatMap((o) => o.added)).find((l) => l.purpose === 'quorum')?.name;
  return [
    { set: m.name, setting: 'listeners', from: bothBound(m), to: bound(last) },
    ...(m.serves
      ? [
          {
            set: m.name,
            setting: 'advertised.listeners',
            from: bothAdvertised(m),
            to: told(m, renamed(advertisable(m))),
          },
        ]
      : []),
    ...(zookeeper || name === undefined
      ? []
      : [
          {
            set: m.name,
            setting: 'controller.listener.names',
            from: `${newQuorum(members)},${oldQuorum(members)}`,
            to: name,
          },
        ]),
  ];
}

function shut(cluster: Cluster): Stage {
  const { members } = cluster;
  return {
    number: 7,
    title: 'Close the plaintext listeners',
    why: 'Only what is closed cannot be used. The listeners that stay get the names that they have in every hardened set (a name is local to a node; the ports stay). From here on the set is as if it had been hardened at its creation, and is kept so.',
    changes: members.flatMap((m) => shutting(m, cluster)),
    opens: [],
    closes: members.flatMap((m) => present(m).map((l) => ({ set: m.name, port: l.port, listener: l.name }))),
    restarts: restartsOf(members, true),
    clients: 'Nothing, if stage 6 held for long enough.',
    check: [
      `The old ports refuse connections: ${members.flatMap((m) => present(m).map((l) => `${m.name} ${l.port}`)).join(', ')}.`,
      inSync(cluster, true),
    ],
    back: 'Add the old listeners again and restart.',
  };
}

/** The stages in their order: each is one roll, and needs all of the one before. In ZooKeeper mode there is no quorum to move. */
export const stagesOf = (cluster: Cluster): Stage[] => [
  open(cluster),
  ...(cluster.zookeeper ? [] : [switchQuorum(cluster)]),
  moveBrokers(cluster),
  authorize(cluster),
  moveClients(cluster),
  close(cluster),
  shut(cluster),
];
