import { serving, type Rule } from '../draft.ts';
import { clientListeners } from './listeners.ts';

export const sasl: Rule = {
  id: 'sasl',
  title: 'Clients authenticate with SCRAM-SHA-512',
  why: "SCRAM keeps its credentials in Kafka's metadata, salted, and proves a password without sending it. Sessions are re-authenticated every hour, because deleting a credential ends no session by itself.",
  remedy: 'Create a KafkaUser for each client and give it the Secret that the sidecar makes.',
  severity: 'info',
  since: 1,
  apply(draft) {
    for (const name of clientListeners(draft.layout)) {
      const prefix = `listener.name.${name.toLowerCase()}`;
      draft.setting(`${prefix}.sasl.enabled.mechanisms`, '=', 'SCRAM-SHA-512', serving);
      draft.setting(
        `${prefix}.scram-sha-512.sasl.jaas.config`,
        '=',
        'org.apache.kafka.common.security.scram.ScramLoginModule required;',
        serving,
      );
      draft.setting(`${prefix}.connections.max.reauth.ms`, '=', 3_600_000, serving);
    }
  },
};
