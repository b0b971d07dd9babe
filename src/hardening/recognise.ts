import { keys } from '../names.ts';
import { startOf } from './command.ts';
import { parseImage, repositoryOf, type ImageReference } from './image.ts';
import type { Container, StatefulSet } from './model.ts';
import { entrypoint } from './profiles/apache-kafka.ts';
import { families, type Family } from './profiles/families.ts';

/** What a StatefulSet runs, as far as Kafka is concerned. */
export type Recognition =
  | { kind: 'none' }
  | { kind: 'kafka'; family: Family; container: Container; index: number; image: ImageReference }
  /** Kafka, or what looks like it, that cannot be hardened: why, and where. */
  | { kind: 'left-alone'; rule: string; reason: string; remedy: string; path: string };

const containersPath = '/spec/template/spec/containers';

const byRepository = new Map(families.flatMap((f) => f.repositories.map((r) => [r, f])));
const familyOf = (image: ImageReference) => byRepository.get(repositoryOf(image));

const looksLikeKafka = (c: Container) =>
  /kafka/i.test(parseImage(c.image ?? '').path.at(-1) ?? '') ||
  (c.env ?? []).some((e) =>
    /^KAFKA_(CFG_)?(ADVERTISED_LISTENERS|LISTENERS|BROKER_ID|NODE_ID|PROCESS_ROLES|ZOOKEEPER_CONNECT)$/.test(
      e.name,
    ),
  ) ||
  [...(c.command ?? []), ...(c.args ?? [])].some((a) => /kafka-server-start|kafka\.Kafka\b/.test(a));

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

function otherProgram(c: Container): string | undefined {
  const text = [...(c.command ?? []), ...(c.args ?? [])].join(' ');
  if (/kafka-server-start|docker\/run\b/.test(text)) return undefined;
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
        .filter((f) => f.supported)
        .map((f) => f.id)
        .join(', ')} in the annotation ${keys.imageProfile}.`,
      path: `/metadata/annotations/${keys.imageProfile.replace('/', '~1')}`,
    };
  const candidates = containers.flatMap((container, index) => {
    const image = parseImage(container.image ?? '');
    const known =
      familyOf(image) ?? (family !== undefined && mayBeNamed(container, containers) ? family : undefined);
    if (known === undefined || otherProgram(container) !== undefined) return [];
    return [{ container, index, image, family: known }];
  });
  const only = theBroker(candidates);
  if (only === undefined)
    return candidates.length > 1 ? severalBrokers(candidates) : withoutBroker(containers);
  if (!only.family.supported)
    return {
      kind: 'left-alone',
      rule: 'image-profile',
      reason: only.family.why,
      remedy: only.family.remedy,
      path: `${containersPath}/${only.index}/image`,
    };
  return { kind: 'kafka', ...only };
}

type Candidate = Omit<Extract<Recognition, { kind: 'kafka' }>, 'kind'>;

/** The only candidate, or the only one that starts the broker where others run the same image for something else. */
function theBroker(candidates: Candidate[]): Candidate | undefined {
  const starting = candidates.filter((c) => startOf(c.container, entrypoint).kind !== 'unknown');
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
    if (looksLikeKafka(container))
      return {
        kind: 'left-alone',
        rule: 'image-profile',
        reason: `container ${container.name} looks like Kafka, but its image ${container.image ?? ''} is not one that is known`,
        remedy: `If the image behaves like a known one, name that in the annotation ${keys.imageProfile}, for example "apache-kafka".`,
        path: `${path}/image`,
      };
  }
  return { kind: 'none' };
}
