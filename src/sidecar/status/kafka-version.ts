import { parseImage } from '../../hardening/image.ts';
import { parsePin } from '../../hardening/profiles/index.ts';
import { keys } from '../../names.ts';
import { type ClusterSet, servingSets } from '../cluster-set.ts';

/** The version of Kafka that an annotation or an image's tag names: that of the first set that serves, else of any. */
export function kafkaVersionOf(sets: readonly ClusterSet[]): string | undefined {
  for (const set of [...servingSets(sets), ...sets]) {
    const named = set.object.metadata.annotations?.[keys.kafkaVersion] ?? byImage(set);
    if (named) return named;
  }
  return undefined;
}

/** Some images have versions of their own; where the tag is Kafka's it may tell more than the first two numbers. */
function byImage({ object }: ClusterSet): string | undefined {
  const pin = parsePin(object.metadata.annotations?.[keys.profile]);
  const container = (object.spec?.template.spec?.containers ?? []).find(({ env = [] }) =>
    env.some(({ name }) => name === 'WARDEN_POD'),
  );
  const image = parseImage(container?.image ?? '');
  const version = pin?.profile.kafkaOf(image)?.join('.');
  const [full] = /\d+\.\d+\.\d+/.exec(image.tag ?? '') ?? [];
  return version !== undefined && full?.startsWith(`${version}.`) ? full : version;
}
