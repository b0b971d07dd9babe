import { mounts } from '../../names.ts';
import type { Rule } from '../draft.ts';

const password = `\${warden:${mounts.keys}:password}`;

export const keystore: Rule = {
  id: 'keystore',
  title: 'Keystores and truststores from a Secret, read through a config provider',
  why: "Every broker has a leaf of its own; INTERNAL and CONTROLLER trust the nodes' authority alone. Stores are files in a mounted Secret and the password is read by Kafka's DirectoryConfigProvider, so nothing secret stands in the template, the environment or the command line. CONTROLLER has a store of its own, because a node's Raft client keeps the leaf that it started with.",
  remedy: 'Nothing to do: the sidecar issues and renews the stores.',
  severity: 'info',
  since: 1,
  apply(draft) {
    draft.setting('config.providers', '+=', 'warden');
    draft.setting(
      'config.providers.warden.class',
      '=',
      'org.apache.kafka.common.config.provider.DirectoryConfigProvider',
    );
    draft.setting('config.providers.warden.param.allowed.paths', '=', mounts.keys);
    for (const [listener, store] of [
      ['client', ''],
      ['internal', ''],
      ['controller', '.controller'],
    ] as const) {
      const prefix = `listener.name.${listener}.ssl`;
      draft.setting(`${prefix}.keystore.location`, '=', `${mounts.keys}/$(WARDEN_POD)${store}.p12`);
      draft.setting(`${prefix}.keystore.type`, '=', 'PKCS12');
      draft.setting(`${prefix}.keystore.password`, '=', password);
      if (listener === 'client') {
        draft.setting(`${prefix}.client.auth`, '=', 'none');
        continue;
      }
      draft.setting(`${prefix}.truststore.location`, '=', `${mounts.keys}/nodes.p12`);
      draft.setting(`${prefix}.truststore.type`, '=', 'PKCS12');
      draft.setting(`${prefix}.truststore.password`, '=', password);
      draft.setting(`${prefix}.client.auth`, '=', 'required');
      draft.setting(`${prefix}.endpoint.identification.algorithm`, '=', 'https');
      draft.setting(`${prefix}.principal.mapping.rules`, '=', 'DEFAULT');
    }
  },
};
