import { keys } from '../../names.ts';
import { pointerTo, type Rule } from '../draft.ts';
import { parseImage, repositoryOf } from '../image.ts';
import { families } from '../profiles/families.ts';
import type { Observed } from './observed.ts';

/** Fixes are made for the last three minor versions (Kafka's release plan): older than this is out in any case. */
const oldestFixed = [3, 9] as const;

const isBefore = ([major, minor]: readonly [number, number], least: readonly [number, number]) =>
  major < least[0] || (major === least[0] && minor < least[1]);

/** A private image's tag may count anything. */
const tellsVersion = (image: string): boolean => {
  const repository = repositoryOf(parseImage(image));
  const isKnown = families.some((f) => f.profile !== undefined && f.repositories.includes(repository));
  return isKnown || /^(wurstmeister|solsson|ches)\/kafka$/.test(repository);
};

export const kafkaVersion: Rule = {
  id: 'kafka-version',
  title: 'A Kafka version that gets fixes',
  why: 'Bugs and vulnerabilities are fixed in the last three minor versions only; clients and tools drop old ones in the same measure.',
  remedy:
    'Upgrade to Kafka 4.x; from ZooKeeper mode by way of 3.9, which is the last version that can migrate to KRaft.',
  severity: 'warning',
  since: 1,
  apply({ set, container, containerIndex, kafkaVersion: version, report }: Observed) {
    const stated = set.metadata?.annotations?.[keys.kafkaVersion] !== undefined;
    if (version === undefined || !isBefore(version, oldestFixed)) return;
    if (!stated && !tellsVersion(container.image ?? '')) return;
    report({
      path: pointerTo(containerIndex, '/image'),
      message: `Kafka ${version.join('.')} (${container.image}) gets no more fixes`,
    });
  },
};
