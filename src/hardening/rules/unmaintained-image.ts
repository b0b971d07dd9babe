import { pointerTo, type Rule } from '../draft.ts';
import { parseImage, repositoryOf } from '../image.ts';
import type { Observed } from './observed.ts';

const use = 'Use apache/kafka or confluentinc/cp-kafka.';

/** Images that get no updates any more: why, by repository. */
const abandoned: readonly [RegExp, string][] = [
  [/^bitnamilegacy\//, 'the bitnamilegacy images are frozen since August 2025'],
  [/^bitnami\/(kafka|zookeeper)$/, 'the free bitnami images have had no versioned tags since August 2025'],
  [/^wurstmeister\//, 'wurstmeister/kafka is no longer maintained (its last Kafka is 2.8)'],
  [/^spotify\/kafka$/, 'spotify/kafka has not been updated since Kafka 0.10'],
  [/^ches\/kafka$/, 'ches/kafka has not been updated since Kafka 0.10'],
  [/^solsson\/kafka/, 'solsson/kafka is archived'],
  [/^landoop\//, 'the landoop images moved to lensesio'],
  [/^google_samples\/k8skafka$/, 'google_samples/k8skafka has not been updated since Kafka 0.10'],
  [/^confluentinc\/cp-enterprise-kafka$/, 'cp-enterprise-kafka was replaced by cp-server'],
];

/** Why an image gets no updates any more; undefined where it may. */
export const abandonmentOf = (image: string): string | undefined => {
  const repository = repositoryOf(parseImage(image));
  return abandoned.find(([pattern]) => pattern.test(repository))?.[1];
};

export const unmaintainedImage: Rule = {
  id: 'unmaintained-image',
  title: 'An image that gets updates',
  why: 'Vulnerabilities of the JVM, the system libraries and Kafka itself stay in an image that nobody builds any more.',
  remedy: use,
  severity: 'warning',
  since: 1,
  apply({ container, containerIndex, report }: Observed) {
    const reason = abandonmentOf(container.image ?? '');
    if (reason === undefined) return;
    report({ path: pointerTo(containerIndex, '/image'), message: `${reason}: no more fixes` });
  },
};
