import { literal } from '../configuration.ts';
import { pointerTo, type Rule } from '../draft.ts';

export const autoCreation: Rule = {
  id: 'auto-creation',
  title: 'Topics are created on purpose',
  why: 'Auto-creation turns a misspelt name into a topic with default settings.',
  remedy: 'Set auto.create.topics.enable=false; a KafkaUser then needs no CREATE right.',
  severity: 'info',
  since: 1,
  apply(draft) {
    const value = draft.configuration.property('auto.create.topics.enable');
    if (literal(value) !== 'true' || !('from' in value)) return;
    draft.report({
      path: pointerTo(draft.containerIndex, value.from),
      message: 'auto.create.topics.enable is on',
    });
  },
};
