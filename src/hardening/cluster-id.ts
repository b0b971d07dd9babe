import { literal } from './configuration.ts';
import type { Facts } from './draft.ts';
import { isAtLeast, type KafkaVersion } from './profiles/profile.ts';

/** kafka-storage looks at the id that it is given until this version; later ones take any text. */
const firstLenient: KafkaVersion = [3, 9];

/** 16 bytes in base64url, as `Uuid.fromString` reads them. */
const isUuid = (id: string) => /^[A-Za-z0-9_-]{22}(==)?$/.test(id);

/** The id that the start script formats with, where it stands there or in a variable. */
function formattedWith({ start, configuration }: Facts): { id: string; from: string } | undefined {
  if (start.kind !== 'shell') return undefined;
  for (const { words } of start.commands) {
    const texts = words.map((w) => w.text);
    const tool = texts.findIndex((t) => /(^|\/)kafka-storage(\.sh)?$/.test(t));
    if (tool < 0 || texts[tool + 1] !== 'format') continue;
    const flag = texts.findIndex((t) => t === '-t' || t === '--cluster-id');
    const given = flag < 0 ? texts.find((t) => t.startsWith('--cluster-id='))?.slice(13) : texts[flag + 1];
    const name = /^\$\{?([A-Za-z_]\w*)\}?$/.exec(given ?? '')?.[1];
    const id = name === undefined ? given : literal(configuration.variable(name));
    if (id !== undefined && !id.includes('$') && !id.includes('`'))
      return { id, from: `/${start.field}/${start.index}` };
  }
  return undefined;
}

/** The cluster id that the manifest shows, and where. */
function clusterIdOf(facts: Facts): { id: string; from: string } | undefined {
  const { configuration, pin } = facts;
  if (configuration.delivery.kind !== 'environment') return formattedWith(facts);
  for (const name of pin.profile.clusterIdVariables) {
    const value = configuration.variable(name);
    if (value.state === 'literal') return { id: value.value, from: value.from };
  }
  return undefined;
}

/** A cluster id of the manifest's that its Kafka does not format a disk with. */
export function unfitClusterId(facts: Facts): { id: string; from: string; version: string } | undefined {
  const { kafkaVersion: version, role } = facts;
  if (version === undefined || role === 'zookeeper' || isAtLeast(version, firstLenient)) return undefined;
  const found = clusterIdOf(facts);
  if (found === undefined || isUuid(found.id)) return undefined;
  return { ...found, version: version.join('.') };
}
