import { at, elementKey, isObject, put, type Json, type JsonObject } from './tree.ts';

const handlers = ['exec', 'tcpSocket', 'httpGet', 'grpc'];
const kinds = ['readinessProbe', 'livenessProbe', 'startupProbe'];

/**
 * Puts back the handler of a probe that was left with none. A user who writes a probe of the very check that stood there by our
 * hand means it: what was taken for ours then is theirs.
 */
export function withHandlers(vanilla: Json, before: Json): Json {
  const containers = at(vanilla, ['spec', 'template', 'spec', 'containers']);
  if (!Array.isArray(containers)) return vanilla;
  let result = vanilla;
  for (const container of containers) {
    if (!isObject(container)) continue;
    for (const kind of kinds) {
      const probe = container[kind];
      if (!isObject(probe) || handlers.some((h) => h in probe)) continue;
      const path = ['spec', 'template', 'spec', 'containers', `[${elementKey(container)}]`, kind];
      const old = at(before, path);
      if (isObject(old)) result = put(result, path, { ...probe, ...handlerOf(old) });
    }
  }
  return result;
}

const handlerOf = (probe: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(probe).filter(([key]) => handlers.includes(key)));
