import { pointerTo, type Draft, type Rule } from '../draft.ts';
import { parseImage } from '../image.ts';

/** A tag that moves by its name, or names less than a minor version. */
const floats = (tag: string) => /^(latest|stable|main|master|edge)\b/.test(tag) || /^v?\d+$/.test(tag);

export const floatingTag: Rule = {
  id: 'floating-tag',
  title: 'An image tag that does not move',
  why: 'With "latest" or no tag, a restarted broker may come back as another Kafka version than its neighbours.',
  remedy: 'Name a full version, such as apache/kafka:4.1.0, or a digest.',
  severity: 'warning',
  since: 1,
  apply(draft) {
    const { tag, digest } = parseImage(draft.container.image ?? '');
    if (digest !== undefined || (tag !== undefined && !floats(tag))) return;
    // The linter shows this rule sets that are not hardened, too: those have neither role nor pin.
    const { role, pin } = draft as Partial<Draft>;
    if (role === 'zookeeper' && pin?.profile.dialect !== 'plain')
      return draft.report({
        path: pointerTo(draft.containerIndex, '/image'),
        message: `the image ${draft.container.image} is Kafka 4 by now, which has no ZooKeeper mode: it does not start with zookeeper.connect`,
        remedy: 'Name a version with Kafka 3.9 (Confluent Platform 7.9), or migrate to KRaft.',
        severity: 'error',
      });
    draft.report({
      path: pointerTo(draft.containerIndex, '/image'),
      message: `the image ${draft.container.image} has no fixed version`,
    });
  },
};
