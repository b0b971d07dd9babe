import { mounts } from '../../names.ts';
import { kraft, serving, type Draft, type KnownRole, type Rule } from '../draft.ts';
import { clientListeners } from './listeners.ts';

const password = `\${warden:${mounts.keys}:password}`;

interface Store {
  listener: string;
  /** Between the pod's name and the file's end. */
  suffix: string;
  mutual: boolean;
  roles: readonly KnownRole[];
}

const provider = 'org.apache.kafka.common.config.provider.DirectoryConfigProvider';

/** Stores as files of one form or the other; PEM files carry no password, so that no provider is needed. */
function writeStore(draft: Draft, { listener, suffix, mutual, roles }: Store): void {
  const pem = draft.pin.profile.stores === 'pem';
  const [end, type] = pem ? ['pem', 'PEM'] : ['p12', 'PKCS12'];
  const prefix = `listener.name.${listener}.ssl`;
  const set = (key: string, value: string) => draft.setting(`${prefix}.${key}`, '=', value, roles);
  set('keystore.location', `${mounts.keys}/$(WARDEN_POD)${suffix}.${end}`);
  set('keystore.type', type);
  if (!pem) set('keystore.password', password);
  if (!mutual) return set('client.auth', 'none');
  set('truststore.location', `${mounts.keys}/nodes.${end}`);
  set('truststore.type', type);
  if (!pem) set('truststore.password', password);
  set('client.auth', 'required');
  set('endpoint.identification.algorithm', 'https');
  set('principal.mapping.rules', 'DEFAULT');
}

export const keystore: Rule = {
  id: 'keystore',
  title: 'Keystores and truststores from a Secret, read through a config provider',
  why: "Every node has a leaf of its own; INTERNAL and CONTROLLER trust the nodes' authority alone. Stores are files in a mounted Secret and the password is read by Kafka's DirectoryConfigProvider, so nothing secret stands in the template, the environment or the command line (the native image, which has no providers, reads PEM files without one). CONTROLLER has a store of its own, because a node's Raft client keeps the leaf that it started with.",
  remedy: 'Nothing to do: the sidecar issues and renews the stores.',
  severity: 'info',
  since: 1,
  apply(draft) {
    if (draft.pin.profile.stores === 'p12') {
      draft.setting('config.providers', '+=', 'warden');
      draft.setting('config.providers.warden.class', '=', provider);
      draft.setting('config.providers.warden.param.allowed.paths', '=', mounts.keys);
    }
    for (const name of clientListeners(draft.layout))
      writeStore(draft, { listener: name.toLowerCase(), suffix: '', mutual: false, roles: serving });
    writeStore(draft, { listener: 'internal', suffix: '', mutual: true, roles: serving });
    const quorum = draft.pin.profile.controllerListener.toLowerCase();
    writeStore(draft, { listener: quorum, suffix: '.controller', mutual: true, roles: kraft });
  },
};
