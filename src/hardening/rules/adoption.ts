import type { Rule } from '../draft.ts';

export const adoption: Rule = {
  id: 'adoption',
  title: 'A running cluster is not touched',
  why: 'Listeners, identities and authorisation of a running plaintext cluster cannot change in one roll without an outage: each stage needs all brokers before the next begins.',
  remedy:
    'kafka-warden adopt --plan -n NAMESPACE NAME prints the stages; or create the cluster anew to have it hardened at once.',
  severity: 'warning',
  since: 1,
};
