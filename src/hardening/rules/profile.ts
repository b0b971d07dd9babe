import type { Rule } from '../draft.ts';

export const profile: Rule = {
  id: 'profile',
  title: 'A pinned profile version',
  why: 'The version of the rules is pinned on each StatefulSet, so that an upgrade of kafka-warden changes no template and rolls no cluster by itself.',
  remedy:
    'Use a version that this kafka-warden supports; "kafka-warden profile upgrade" moves a set to the newest.',
  severity: 'error',
  since: 1,
};
