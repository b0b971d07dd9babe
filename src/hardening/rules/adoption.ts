import type { Rule } from '../draft.ts';

export const adoption: Rule = {
  id: 'adoption',
  title: 'A running cluster is not touched',
  why: 'Listeners, identities and authorisation of a running plaintext cluster cannot change in one roll without an outage: each stage needs all brokers before the next begins.',
  remedy:
    'Create it anew to have it hardened at once; a staged adoption of running clusters is not part of this version.',
  severity: 'warning',
  since: 1,
};
