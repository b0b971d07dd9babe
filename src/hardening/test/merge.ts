import type { StatefulSet } from '../model.ts';
import { clone, equal, isObject, type Json, type JsonObject } from '../tree.ts';

/**
 * How the API server and its clients merge what a user sends with what is stored, for the fields of a StatefulSet:
 * `threeWayMerge` as kubectl apply and Helm do (apimachinery pkg/util/strategicpatch), `serverSideApply` as
 * structured-merge-diff does.
 */

/** Strategic merge keys by the name of the list (the patchMergeKey tags of core/v1 and apps/v1). */
const strategicKeys = new Map([
  ['containers', 'name'],
  ['initContainers', 'name'],
  ['env', 'name'],
  ['volumes', 'name'],
  ['volumeMounts', 'mountPath'],
  ['volumeDevices', 'devicePath'],
  ['ports', 'containerPort'],
  ['topologySpreadConstraints', 'topologyKey'],
  ['imagePullSecrets', 'name'],
  ['hostAliases', 'ip'],
]);

/** List map keys by the name of the list (the listMapKey markers of core/v1). */
const applyKeys = new Map<string, string[]>([
  ...[...strategicKeys].map(([list, key]): [string, string[]] => [list, [key]]),
  ['ports', ['containerPort', 'protocol']],
  ['topologySpreadConstraints', ['topologyKey', 'whenUnsatisfiable']],
]);

type KeyOf = (element: Json | undefined) => string;

const strategicKey = (list: string): KeyOf | undefined => {
  const key = strategicKeys.get(list);
  return key === undefined ? undefined : (e) => JSON.stringify(isObject(e) ? e[key] : null);
};

const applyKey = (list: string): KeyOf | undefined => {
  const keys = applyKeys.get(list);
  if (keys === undefined) return undefined;
  return (e) =>
    JSON.stringify(keys.map((k) => (isObject(e) ? (e[k] ?? (k === 'protocol' ? 'TCP' : null)) : null)));
};

const elements = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

/** What kubectl apply and Helm store: `live` changed by the difference from `last` to `next`, with what `next` says set again. */
export function threeWayMerge(last: StatefulSet, live: StatefulSet, next: StatefulSet): StatefulSet {
  return mergeMaps(last as unknown as Json, live as unknown as Json, next as unknown as JsonObject);
}

function mergeMaps(last: Json | undefined, live: Json | undefined, next: JsonObject): JsonObject {
  const merged = isObject(live) ? clone(live) : {};
  const before = isObject(last) ? last : {};
  for (const key of Object.keys(before)) if (!(key in next)) delete merged[key];
  for (const [key, value] of Object.entries(next))
    merged[key] = mergeValue(key, before[key], merged[key], value);
  return merged;
}

function mergeValue(field: string, last: Json | undefined, live: Json | undefined, next: Json): Json {
  if (isObject(next)) return mergeMaps(last, live, next);
  const keyOf = strategicKey(field);
  if (!Array.isArray(next) || keyOf === undefined || !Array.isArray(live)) return clone(next);
  const find = (list: Json | undefined, key: string) => elements(list).find((e) => keyOf(e) === key);
  const sent = next.map((element) => {
    const [was, stored] = [find(last, keyOf(element)), find(live, keyOf(element))];
    const merged = isObject(element) ? mergeMaps(was, stored, element) : clone(element);
    // patchStrategy retainKeys: a changed volume keeps only the sources that are sent.
    if (field === 'volumes' && isObject(merged) && isObject(element) && !equal(merged, stored))
      for (const key of Object.keys(merged)) if (!(key in element)) delete merged[key];
    return merged;
  });
  const kept = live.filter((e) => find(next, keyOf(e)) === undefined && find(last, keyOf(e)) === undefined);
  return inServerOrder(kept, sent, { live, keyOf });
}

/** `mergeSortedSlice`: server-only elements before the first sent one that follows them in the stored list. */
function inServerOrder(kept: Json[], sent: Json[], { live, keyOf }: { live: Json[]; keyOf: KeyOf }): Json[] {
  const place = (e: Json | undefined) => live.findIndex((l) => keyOf(l) === keyOf(e));
  const merged: Json[] = [];
  const [left, right] = [[...kept], [...sent]];
  while (left.length > 0 && right.length > 0) {
    const [l, r] = [place(left[0]), place(right[0])];
    merged.push(...(l >= 0 && r >= 0 && l < r ? left : right).splice(0, 1));
  }
  return [...merged, ...left, ...right];
}

/**
 * What server-side apply stores: `next` over `live`; what `last` had and `next` has no more is removed. What a webhook wrote
 * belongs to nobody and stays.
 */
export function serverSideApply(last: StatefulSet, live: StatefulSet, next: StatefulSet): StatefulSet {
  const merged = applyOver(live as unknown as Json, next as unknown as Json, '');
  const pruned = prune(merged, last as unknown as Json, next as unknown as Json) ?? {};
  return withoutBareProbes(pruned) as unknown as StatefulSet;
}

/** A removed probe of which only defaults are left would be invalid: it goes as a whole. */
function withoutBareProbes(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutBareProbes);
  if (!isObject(value)) return value;
  const isBare = (key: string, probe: Json) =>
    key.endsWith('Probe') &&
    isObject(probe) &&
    !['exec', 'tcpSocket', 'httpGet', 'grpc'].some((h) => h in probe);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => !isBare(key, inner))
      .map(([key, inner]) => [key, withoutBareProbes(inner)]),
  );
}

function applyOver(live: Json | undefined, next: Json, field: string): Json {
  const keyOf = applyKey(field);
  if (Array.isArray(next) && Array.isArray(live) && keyOf !== undefined) return applyList(live, next, keyOf);
  if (!isObject(next) || !isObject(live)) return clone(next);
  const merged = clone(live);
  for (const [key, value] of Object.entries(next)) merged[key] = applyOver(merged[key], value, key);
  return merged;
}

/** Elements that only the stored list has keep their place before what follows them; applied ones stand in applied order. */
function applyList(live: Json[], next: Json[], keyOf: KeyOf): Json[] {
  const sent = new Set(next.map(keyOf));
  const stored = new Map(live.map((e) => [keyOf(e), e]));
  const applied = next.map((e) => applyOver(stored.get(keyOf(e)), e, ''));
  const merged: Json[] = [];
  let taken = 0;
  for (const element of live) {
    if (!sent.has(keyOf(element))) merged.push(clone(element));
    const upTo = applied.findIndex((e, i) => i >= taken && keyOf(e) === keyOf(element));
    if (upTo >= 0) merged.push(...applied.slice(taken, upTo + 1));
    taken = Math.max(taken, upTo + 1);
  }
  return [...merged, ...applied.slice(taken)];
}

/** Removes the leaves and the list elements that `last` has and `next` has not; objects that become empty go with them. */
function prune(merged: Json, last: Json | undefined, next: Json | undefined, field = ''): Json | undefined {
  const keyOf = applyKey(field);
  if (Array.isArray(merged) && Array.isArray(last) && keyOf !== undefined)
    return pruneList(merged, last, { next: elements(next), keyOf });
  if (!isObject(merged) || !isObject(last)) return merged;
  const kept: JsonObject = {};
  for (const [key, value] of Object.entries(merged)) {
    const inner = pruneField(key, value, { was: last[key], now: isObject(next) ? next[key] : undefined });
    if (inner !== undefined) kept[key] = inner;
  }
  return Object.keys(kept).length > 0 || Object.keys(last).length === 0 ? kept : undefined;
}

interface Sides {
  was: Json | undefined;
  now: Json | undefined;
}

function pruneField(key: string, value: Json, { was, now }: Sides): Json | undefined {
  if (was === undefined) return value;
  return now !== undefined || isObject(was) || applyKeys.has(key) ? prune(value, was, now, key) : undefined;
}

function pruneList(merged: Json[], last: Json[], { next, keyOf }: { next: Json[]; keyOf: KeyOf }): Json[] {
  const find = (list: Json[], e: Json) => list.find((x) => keyOf(x) === keyOf(e));
  return merged.flatMap((e) => {
    const [was, now] = [find(last, e), find(next, e)];
    if (was === undefined) return [e];
    return now === undefined ? [] : [prune(e, was, now) ?? {}];
  });
}
