import { literal } from '../hardening/configuration.ts';
import type { KafkaVersion } from '../hardening/profiles/profile.ts';
import type { Features, MetadataMode } from '../kafka/index.ts';
import { keys } from '../names.ts';
import { crossingFindings } from './configuration-check.ts';
import { type UpgradeFinding, problem, warning } from './finding.ts';
import type { Manifest } from './manifest.ts';
import {
  compareVersions,
  metadataFeature,
  metadataVersionName,
  oldestLevelOf4,
  supportedBy,
} from './metadata-versions.ts';

/** What is known of the cluster as it runs; what is not known is left out, and said to be so. */
export interface Running {
  /** The software of the set's pods, the oldest first; empty where nothing tells. */
  readonly versions: readonly KafkaVersion[];
  readonly mode?: MetadataMode | undefined;
  /** Finalized levels by feature. */
  readonly finalized?: Features | undefined;
  /** Ids of registered brokers that no pod of the cluster has. */
  readonly stale?: readonly number[];
}

/** The answer to "may these pods start with that template?". */
export interface Preflight {
  /** Undefined where it cannot be told. */
  readonly from: KafkaVersion | undefined;
  readonly to: KafkaVersion | undefined;
  readonly findings: readonly UpgradeFinding[];
}

const text = (version: KafkaVersion): string => version.join('.');

const migrate =
  'Migrate to KRaft first: 3.9 is the last version that can (Confluent Platform 7.9); or go back to an image of 3.9.';

/**
 * Judges a wanted template against the running cluster, by what Kafka's own start and registration would refuse. `to` beside
 * the manifest: the version that is asked about instead of the manifest's own.
 */
export function preflight(manifest: Manifest, running: Running, wanted?: KafkaVersion): Preflight {
  const to = wanted ?? manifest.version;
  const from = running.versions.toSorted(compareVersions)[0];
  if (to === undefined) return { from, to, findings: [...manifest.findings, unknownVersion(manifest)] };
  const known = { ...running, mode: running.mode ?? manifest.mode };
  const crosses = to[0] >= 4 && (from === undefined || from[0] < 4);
  const findings = [
    ...manifest.findings,
    ...(known.mode === 'zookeeper' ? inZookeeper(manifest, { from, to }) : inKraft(known, { from, to })),
    ...(crosses ? intoFour(manifest, known, to) : []),
  ];
  return { from, to, findings };
}

const unknownVersion = ({ image }: Manifest): UpgradeFinding =>
  warning(
    'image',
    `the image ${image} does not tell which Kafka it has, so its upgrade is not checked`,
    `State it in the annotation ${keys.kafkaVersion} of the StatefulSet.`,
    '/image',
  );

interface Step {
  readonly from: KafkaVersion | undefined;
  readonly to: KafkaVersion;
}

/** There the version that brokers speak among themselves follows the software, unless it is held. */
function inZookeeper({ configuration }: Manifest, { from, to }: Step): UpgradeFinding[] {
  if (to[0] >= 4)
    return [
      problem(
        'image',
        `Kafka ${text(to)} has no ZooKeeper mode, and this cluster runs in it`,
        migrate,
        '/image',
      ),
    ];
  if (from === undefined || compareVersions(from, to) === 0) return [];
  const field = 'inter.broker.protocol.version';
  const value = configuration.property(field);
  const held = literal(value);
  const [older] = [from, to].toSorted(compareVersions);
  const level = /^(\d+)\.(\d+)/.exec(held ?? '');
  if (
    older === undefined ||
    (level !== null && compareVersions([Number(level[1]), Number(level[2])], older) <= 0)
  )
    return [];
  const message = `brokers of ${text(from)} do not understand those of ${text(to)} unless ${field} is at most ${text(older)} while both run`;
  const remedy = `Set ${field}=${text(older)} in the same change, and remove it (or raise it) once all brokers run ${text(to)}.`;
  return held === undefined && value.state !== 'absent'
    ? [warning(field, `${message}; what it is cannot be seen`, remedy)]
    : [problem(field, message, remedy, 'from' in value ? value.from : undefined)];
}

function inKraft(running: Running, { from, to }: Step): UpgradeFinding[] {
  const { finalized } = running;
  const goesBack = from !== undefined && compareVersions(to, from) < 0;
  if (finalized === undefined) {
    const crosses = to[0] >= 4 && (from === undefined || from[0] < 4);
    return goesBack || crosses
      ? [
          warning(
            metadataFeature,
            'what the cluster has finalized is not known, so it is not checked whether this version can read it',
            'Look again while the brokers answer: kafka-warden upgrade check CLUSTER.',
          ),
        ]
      : [];
  }
  return [...finalized].flatMap(([feature, level]) => unreadable({ feature, level }, { from, to }));
}

/** A finalized level that software of the wanted version does not have: its brokers are not let in. */
function unreadable({ feature, level }: { feature: string; level: number }, { to }: Step): UpgradeFinding[] {
  const range = supportedBy(to, feature);
  if (range === undefined || (level >= range.min && level <= range.max)) return [];
  const isMetadata = feature === metadataFeature;
  const shown = isMetadata ? metadataVersionName(level) : String(level);
  if (level < range.min)
    return [
      problem(
        feature,
        `the cluster's ${feature} is ${shown}, and Kafka ${text(to)} reads ${metadataVersionName(oldestLevelOf4)} and later only`,
        `Finalize a later one on the present version first: kafka-warden upgrade finalize CLUSTER --metadata-version RELEASE.`,
      ),
    ];
  return [
    problem(
      feature,
      `the cluster's ${feature} is finalized at ${shown}, which Kafka ${text(to)} does not have (at most ${isMetadata ? metadataVersionName(range.max) : range.max}): its brokers would not be let in, and a finalized level does not go back`,
      'Use an image of the release that it was finalized for, or a later one.',
    ),
  ];
}

/** From 3.x to 4.x. */
function intoFour(manifest: Manifest, running: Running, to: KafkaVersion): UpgradeFinding[] {
  const { mode, stale = [] } = running;
  const configured = crossingFindings(manifest, { to, mode: mode === 'zookeeper' ? mode : undefined });
  if (mode === 'zookeeper') return configured;
  return [
    ...configured,
    ...(mode === undefined
      ? [
          warning(
            'process.roles',
            'whether the cluster runs in KRaft or in ZooKeeper mode cannot be seen, and Kafka 4 has KRaft only',
            migrate,
          ),
        ]
      : []),
    ...(manifest.isKnownImage
      ? []
      : [
          warning(
            'image',
            `the image ${manifest.image} is not known: its Java has to be 17 or later, and its logging log4j2`,
            'Look into the image before it is rolled out.',
            '/image',
          ),
        ]),
    ...staleFindings(stale, 'warning'),
    oldClients,
  ];
}

const oldClients = warning(
  'clients',
  'clients older than Kafka 2.1 are refused from 4.0 on (KIP-896), and whether there are any is not known',
  "Look at the brokers' JMX metric kafka.network:type=RequestMetrics,name=DeprecatedRequestsPerSec: it must stay 0.",
);

/** Registrations of brokers that are gone keep features from being finalized (`FeatureControlManager.reasonNotSupported`). */
export function staleFindings(
  stale: readonly number[],
  severity: UpgradeFinding['severity'],
): UpgradeFinding[] {
  if (stale.length === 0) return [];
  const found = { warning, problem }[severity];
  const ids = stale.slice(0, 10).join(', ');
  return [
    found(
      'registrations',
      `brokers ${ids} are registered, and no pod of the cluster is one of them: metadata.version cannot be finalized while they are`,
      'Unregister those that are gone for good: kafka-cluster.sh unregister --id ID.',
    ),
  ];
}

const shown = 3;

/** The problems in one text; undefined where there are none. */
export function blockedBy({ findings }: Pick<Preflight, 'findings'>): string | undefined {
  const problems = findings.filter(({ severity }) => severity === 'problem');
  if (problems.length === 0) return undefined;
  const told = problems.slice(0, shown).map(({ message, remedy }) => `${message}. ${remedy}`);
  const more = problems.length > shown ? [`And ${problems.length - shown} more.`] : [];
  return [...told, ...more].join(' ');
}
