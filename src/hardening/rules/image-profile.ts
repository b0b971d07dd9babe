import type { Rule } from '../draft.ts';

export const imageProfile: Rule = {
  id: 'image-profile',
  title: 'An image whose entrypoint is known',
  why: 'Each image turns its environment into configuration by rules of its own, with traps of its own. What merely looks like Kafka is reported, never guessed at.',
  remedy: 'Name the profile of a private image in the annotation kafka-warden.io/image-profile.',
  severity: 'warning',
  since: 1,
};
