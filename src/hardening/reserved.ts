import { keys, mounts } from '../names.ts';
import { at, drop, elementKey, equal, isObject, put, type Json, type JsonObject, type Path } from './tree.ts';

/**
 * What is kafka-warden's own wherever it stands: it is taken out before a template is read, and written anew, so no record of it
 * is kept. A manifest that uses these names for something else is not hardened (`reservedIn`).
 */
const isReservedVariable = (name: unknown) => typeof name === 'string' && name.startsWith('WARDEN_');

/** The volumes of a hardened pod. */
export const volumes = {
  keys: 'kafka-warden-keys',
  launcher: 'kafka-warden-launcher',
  run: 'kafka-warden-run',
} as const;
const reservedVolumes: readonly unknown[] = Object.values(volumes);
const isReservedVolume = (name: unknown) => reservedVolumes.includes(name);

/** A volume of a reserved name with a source such as ours has: another one is a user's, to be told of. */
const isOurVolume = (v: JsonObject) =>
  v['name'] === volumes.run
    ? v['emptyDir'] !== undefined
    : isReservedVolume(v['name']) && (v['secret'] !== undefined || v['configMap'] !== undefined);

/** How the launcher is called in front of the image's entrypoint. */
export const launcherCall = ['/bin/bash', `${mounts.launcher}/launch`] as const;
const callText = `${launcherCall.join(' ')} `;

/** How a pod asks whether it may stop, before the manifest's own preStop hook. */
export const stopCall = ['/bin/sh', `${mounts.launcher}/stop`] as const;

/** The spread constraint that is written where a manifest has none. */
export const spreadConstraint = {
  maxSkew: 1,
  topologyKey: 'topology.kubernetes.io/zone',
  whenUnsatisfiable: 'ScheduleAnyway',
} as const;

const podPath: Path = ['spec', 'template', 'spec'];

const objects = (value: Json | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter((e) => isObject(e)) : [];

/** True for a container that carries the launcher: only there are the reserved variables ours. */
const isLaunched = (container: JsonObject) =>
  objects(container['env']).some((e) => e['name'] === 'WARDEN_SETTINGS') ||
  objects(container['volumeMounts']).some((m) => m['name'] === volumes.launcher);

function without(list: Json | undefined, ours: (element: JsonObject) => boolean): Json | undefined {
  if (!Array.isArray(list) || !list.some((e) => isObject(e) && ours(e))) return list;
  const kept = list.filter((e) => !(isObject(e) && ours(e)));
  return kept.length === 0 ? undefined : kept;
}

const withField = (object: JsonObject, key: string, value: Json | undefined): JsonObject => {
  if (value === object[key]) return object;
  if (value !== undefined) return { ...object, [key]: value };
  const { [key]: _gone, ...rest } = object;
  return rest;
};

/** Arguments without the launcher's call, as elements of their own and inside a shell's script. */
function withoutCall(list: Json | undefined): Json | undefined {
  if (!Array.isArray(list) || !list.some((a) => typeof a === 'string' && a.includes(launcherCall[1])))
    return list;
  const kept = list
    .filter(
      (a, i) =>
        a !== launcherCall[1] &&
        !(a === launcherCall[0] && list[i + 1] === launcherCall[1]) &&
        !(a === '--script' && list[i - 1] === launcherCall[1]),
    )
    .map((a) =>
      typeof a === 'string'
        ? a
            .replaceAll(`${callText}--format-anew `, '')
            .replaceAll(`${callText}--format `, '')
            .replaceAll(callText, '')
        : a,
    );
  return kept.length === 0 ? undefined : kept;
}

/** The preStop hook is the manifest's own again; what is empty then was not there before. */
function withoutStop(container: JsonObject): JsonObject {
  const place = ['lifecycle', 'preStop', 'exec', 'command'];
  const command = at(container, place);
  if (!Array.isArray(command) || command[1] !== stopCall[1]) return container;
  const theirs = command.slice(stopCall.length);
  const bare = theirs.length === 0 ? drop(container, place, 0) : put(container, place, theirs);
  return isObject(bare) ? bare : container;
}

function withoutOurs(container: JsonObject): JsonObject {
  let result = withField(
    container,
    'env',
    without(container['env'], (e) => isReservedVariable(e['name'])),
  );
  result = withField(
    result,
    'volumeMounts',
    without(result['volumeMounts'], (m) => isReservedVolume(m['name'])),
  );
  for (const key of ['command', 'args']) result = withField(result, key, withoutCall(result[key]));
  return withoutStop(result);
}

/** A user's constraint for the same topology may have been merged with ours: our label leaves it, then ours goes. */
function withoutSpread(list: Json | undefined): Json | undefined {
  if (!Array.isArray(list)) return list;
  const place = ['labelSelector', 'matchLabels', keys.node];
  if (!list.some((c) => at(c, place) !== undefined)) return list;
  const kept = list.flatMap((constraint) => {
    if (at(constraint, place) === undefined) return [constraint];
    const theirs = drop(constraint, place, 0);
    return equal(theirs, spreadConstraint) ? [] : [theirs];
  });
  return kept.length === 0 ? undefined : kept;
}

const annotationsPath: Path = ['metadata', 'annotations'];

/**
 * A StatefulSet without everything that stands under one of kafka-warden's own names. `hardened`: it was in our care, so that
 * the reserved volumes are ours even where no container uses them any more.
 */
export function withoutReserved(set: Json, { hardened }: { hardened: boolean }): Json {
  let result = set;
  for (const key of [keys.profile, keys.layout, keys.inverse])
    result = drop(result, [...annotationsPath, key], 1);
  const pod = at(result, podPath);
  if (!isObject(pod)) return result;
  const containers = pod['containers'];
  const launched = objects(containers).filter(isLaunched);
  if (!hardened && launched.length === 0) return result;
  let bare = pod;
  if (Array.isArray(containers) && launched.length > 0)
    bare = {
      ...bare,
      containers: containers.map((c) => (isObject(c) && launched.includes(c) ? withoutOurs(c) : c)),
    };
  bare = withField(bare, 'volumes', without(bare['volumes'], isOurVolume));
  bare = withField(bare, 'topologySpreadConstraints', withoutSpread(bare['topologySpreadConstraints']));
  for (const label of [keys.node, keys.broker])
    result = drop(result, ['spec', 'template', 'metadata', 'labels', label], 2);
  return put(result, podPath, bare);
}

/** Where a vanilla manifest uses a reserved name for something of its own: what, and its path below the pod's spec. */
export function reservedIn(pod: unknown, containerIndex: number): { name: string; path: string } | undefined {
  if (!isObject(pod)) return undefined;
  const container = objects(pod['containers'])[containerIndex] ?? {};
  const within = (list: Json | undefined, taken: (e: JsonObject) => boolean) =>
    objects(list).findIndex(taken);
  const places: [string, Json | undefined, (e: JsonObject) => boolean][] = [
    ['/volumes', pod['volumes'], (v) => isReservedVolume(v['name'])],
    [`/containers/${containerIndex}/env`, container['env'], (e) => isReservedVariable(e['name'])],
    [
      `/containers/${containerIndex}/volumeMounts`,
      container['volumeMounts'],
      ({ mountPath: path }) => typeof path === 'string' && `${path}/`.startsWith('/etc/kafka-warden/'),
    ],
  ];
  for (const [path, list, taken] of places) {
    const index = within(list, taken);
    if (index >= 0) return { name: elementKey(objects(list)[index]) ?? '', path: `${path}/${index}` };
  }
  return undefined;
}
