import { keys } from '../names.ts';
import { at, isObject, type Json } from './tree.ts';

/**
 * Names that are kafka-warden's own wherever they stand: they are taken out before a template is read and written anew, so no
 * record of them is kept.
 */
const isReservedVariable = (name: unknown) => typeof name === 'string' && name.startsWith('WARDEN_');
const isReservedVolume = (name: unknown) => name === 'kafka-warden-keys' || name === 'kafka-warden-launcher';

function filter(holder: Json | undefined, list: string, reserved: (name: unknown) => boolean): void {
  if (!isObject(holder) || !Array.isArray(holder[list])) return;
  const kept = holder[list].filter((e) => !(isObject(e) && reserved(e['name'])));
  if (kept.length === 0) delete holder[list];
  else holder[list] = kept;
}

/** Takes everything out of a StatefulSet, in place, that stands under one of kafka-warden's own names. */
export function removeReserved(set: Json): void {
  const annotations = at(set, ['metadata', 'annotations']);
  if (isObject(annotations)) {
    for (const key of [keys.profile, keys.layout, keys.inverse]) delete annotations[key];
    if (Object.keys(annotations).length === 0)
      delete (at(set, ['metadata']) as { annotations?: Json }).annotations;
  }
  const labels = at(set, ['spec', 'template', 'metadata', 'labels']);
  if (isObject(labels)) delete labels[keys.node];
  const pod = at(set, ['spec', 'template', 'spec']);
  if (!isObject(pod)) return;
  filter(pod, 'volumes', isReservedVolume);
  for (const kind of ['containers', 'initContainers'])
    for (const container of Array.isArray(pod[kind]) ? pod[kind] : []) {
      filter(container, 'env', isReservedVariable);
      filter(container, 'volumeMounts', isReservedVolume);
    }
}
