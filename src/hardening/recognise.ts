import { keys } from '../names.ts';
import { startOf } from './command.ts';
import { parseImage, repositoryOf, type ImageReference } from './image.ts';
import type { Container, PodSpec, StatefulSet } from './model.ts';
import { families, type Family, type Known } from './profiles/families.ts';
import type { Profile } from './profiles/profile.ts';

/** What a StatefulSet runs, as far as Kafka is concerned. */
export type Recognition =
  | { kind: 'none' }
  | { kind: 'kafka'; profile: Profile; container: Container; index: number; image: ImageReference }
  /** Kafka, or what looks like it, that cannot be hardened: why, and where. */
  | { kind: 'left-alone'; rule: string; reason: string; remedy: string; path: string };

const containersPath = '/spec/template/spec/containers';

const byRepository = new Map(families.flatMap((f) => f.repositories.map((r) => [r, f])));
const familyOf = (image: ImageReference) => byRepository.get(repositoryOf(image));

/** `kafka`, `team-kafka`, `kafka-kraft-mode`; not `kafka-ui`, `kafka-exporter` and other things beside it. */
const looksBeside =
  /(^|[-_.])(ui|exporter|manager|rest|proxy|connect|operator|lag|console|topics?|cli|tools?|mirror|registry|k?cat|drop|hq|map|magic|gitops|consumer|producer|client|streams?|bridge|monitor|admin|init|setup|job|backup)/i;
const isKafkaName = (name: string) => /(^|[-_.])(my)?kafka|kafka$/i.test(name) && !looksBeside.test(name);

const looksLikeKafka = (c: Container) =>
  isKafkaName(parseImage(c.image ?? '').path.at(-1) ?? '') ||
  (c.env ?? []).some((e) =>
    /^KAFKA_(CFG_)?(ADVERTISED_LISTENERS|LISTENERS|BROKER_ID|NODE_ID|PROCESS_ROLES|ZOOKEEPER_CONNECT)$/.test(
      e.name,
    ),
  ) ||
  [...(c.command ?? []), ...(c.args ?? [])].some((a) => /kafka-server-start|kafka\.Kafka\b/.test(a));

const startsClass = (c: Container) =>
  /\bkafka\.Kafka\b/.test([...(c.command ?? []), ...(c.args ?? [])].join(' '));

/** Programs in the same images that are no brokers. */
const otherPrograms: [RegExp, string][] = [
  [/connect-mirror-maker|kafka-mirror-maker/, 'MirrorMaker'],
  [/connect-(distributed|standalone)/, 'Kafka Connect'],
  [/zookeeper-server-start/, 'ZooKeeper'],
  [
    /kafka-(console-(producer|consumer)|topics|configs|acls|consumer-groups|producer-perf-test)/,
    'a Kafka command-line tool',
  ],
];

/** The program of a container that is none of Kafka's brokers; some images are named by it in their tag. */
export function otherProgram(c: Container): string | undefined {
  const text = [...(c.command ?? []), ...(c.args ?? []), parseImage(c.image ?? '').tag ?? ''].join(' ');
  if (/kafka-server-start|docker\/run\b|scripts\/kafka\/run\.sh/.test(text)) return undefined;
  return otherPrograms.find(([pattern]) => pattern.test(text))?.[1];
}

/** Says what a StatefulSet runs. Never a guess: what merely looks like Kafka is `left-alone`. */
export function recognise(set: StatefulSet): Recognition {
  const containers = set.spec?.template?.spec?.containers ?? [];
  const named = set.metadata?.annotations?.[keys.imageProfile];
  const family = named === undefined ? undefined : families.find((f) => f.id === named);
  if (named !== undefined && family === undefined)
    return {
      kind: 'left-alone',
      rule: 'image-profile',
      reason: `there is no image profile "${named}"`,
      remedy: `Use one of ${families
        .filter((f) => f.profile !== undefined)
        .map((f) => f.id)
        .join(', ')} in the annotation ${keys.imageProfile}.`,
      path: `/metadata/annotations/${keys.imageProfile.replace('/', '~1')}`,
    };
  const pod = set.spec?.template?.spec;
  const candidates = containers.flatMap((container, index): Candidate[] => {
    const image = parseImage(container.image ?? '');
    const known =
      familyOf(image) ??
      (family !== undefined && mayBeNamed(container, containers) ? family : byCommand(container));
    if (known === undefined || otherProgram(container) !== undefined) return [];
    return [{ container, index, image, family: known, pod }];
  });
  const only = theBroker(candidates);
  if (only === undefined)
    return candidates.length > 1 ? severalBrokers(candidates) : withoutBroker(containers);
  const { container, index, image } = only;
  if (only.family.profile === undefined)
    return {
      kind: 'left-alone',
      rule: 'image-profile',
      reason: only.family.why,
      remedy: only.family.remedy,
      path: `${containersPath}/${index}/image`,
    };
  return { kind: 'kafka', profile: only.family.profile, container, index, image };
}

interface Candidate {
  container: Container;
  index: number;
  image: ImageReference;
  family: Family;
  pod: PodSpec | undefined;
}

const plain = families.find((f): f is Known => f.profile?.dialect === 'plain');

/** An unknown image whose manifest starts Kafka by Kafka's own script. */
function byCommand(container: Container): Family | undefined {
  const start = startOf(container, { entrypoints: [] });
  const starts =
    (start.kind === 'program' && start.program === 'server') ||
    (start.kind === 'shell' && start.calls.some((c) => c.program === 'server'));
  return starts ? plain : undefined;
}

const startsKafka = ({ container, family, pod }: Candidate) =>
  startOf(container, {
    entrypoints: family.profile?.entrypoints ?? [],
    ...(pod === undefined ? {} : { pod }),
  }).kind !== 'unknown';

/** The only candidate, or the only one that starts the broker where others run the same image for something else. */
function theBroker(candidates: Candidate[]): Candidate | undefined {
  const known = candidates.filter((c) => c.family.profile !== undefined);
  if (known.length === 1) return known[0];
  const starting = candidates.filter(startsKafka);
  if (candidates.length === 1 || starting.length === 1) return starting[0] ?? candidates[0];
  return undefined;
}

const severalBrokers = (candidates: Candidate[]): Recognition => ({
  kind: 'left-alone',
  rule: 'unparsed-command',
  reason: `containers ${candidates.map((c) => c.container.name).join(' and ')} look like Kafka brokers`,
  remedy: 'Run one broker per pod.',
  path: containersPath,
});

/** A private image named by annotation: the container that looks like Kafka, or the only one. */
const mayBeNamed = (container: Container, all: Container[]) =>
  familyOf(parseImage(container.image ?? '')) === undefined &&
  (looksLikeKafka(container) || all.length === 1);

function withoutBroker(containers: Container[]): Recognition {
  for (const [index, container] of containers.entries()) {
    const path = `${containersPath}/${index}`;
    const program = otherProgram(container);
    const known = familyOf(parseImage(container.image ?? '')) !== undefined;
    if (program !== undefined && (known || looksLikeKafka(container)))
      return {
        kind: 'left-alone',
        rule: 'image-profile',
        reason: `container ${container.name} runs ${program}, not a broker`,
        remedy: 'Nothing to do: only brokers and controllers are hardened by this profile.',
        path,
      };
    if (startsClass(container))
      return {
        kind: 'left-alone',
        rule: 'unparsed-command',
        reason: `container ${container.name} starts the class kafka.Kafka itself instead of calling kafka-server-start`,
        remedy: 'Let the command end in "exec kafka-server-start.sh FILE".',
        path: `${path}/command`,
      };
    if (/\$\{|\{\{|<[^<>]*>/.test(container.image ?? '') && looksLikeKafka(container))
      return {
        kind: 'left-alone',
        rule: 'image-profile',
        reason: `container ${container.name} looks like Kafka, but its image ${container.image} is a placeholder that nothing has filled in`,
        remedy: 'Render the manifest before it is applied.',
        path: `${path}/image`,
      };
    if (looksLikeKafka(container))
      return {
        kind: 'left-alone',
        rule: 'image-profile',
        reason: `container ${container.name} looks like Kafka, but its image ${container.image ?? ''} is not one that is known`,
        remedy: `If the image behaves like a known one, name that in the annotation ${keys.imageProfile}: "apache-kafka", "cp-kafka", or "kafka" where the manifest starts kafka-server-start.sh FILE itself.`,
        path: `${path}/image`,
      };
  }
  return { kind: 'none' };
}
