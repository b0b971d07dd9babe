import type { Value } from './configuration.ts';
import type { Draft } from './draft.ts';

/** A setting of a node's id, by the variable that people know it by. */
interface GivenId {
  name: string;
  value: Value;
}

/** The node id as the manifest gives it: by its name of today, else by the old one. */
export function idOf({ configuration }: Draft): GivenId {
  const value = configuration.property('node.id');
  if (value.state === 'literal' || value.state === 'computed') return { name: 'KAFKA_NODE_ID', value };
  const old = configuration.property('broker.id');
  return old.state === 'literal' || old.state === 'computed'
    ? { name: 'KAFKA_BROKER_ID', value: old }
    : { name: 'KAFKA_NODE_ID', value };
}

/** The ids that a shell expression gives are known here: the launcher counts by ordinal. */
const shiftKnown = ({ pin, shape }: Draft) => pin.generation >= 3 && shape.idShift !== undefined;

/** True where only the start of each pod can know the id, and may be right. Never depends on the number of replicas. */
export function keepsNodeId(draft: Draft): boolean {
  const { value } = idOf(draft);
  if (shiftKnown(draft)) return false;
  switch (value.state) {
    case 'computed':
      return value.shared !== true && (value.fieldPath ?? 'pod-index').includes('pod-index');
    case 'unknown':
      return !value.shared;
    default:
      return false;
  }
}

/** Why the id that the manifest gives cannot be right for every pod. */
export function wrongNodeId(draft: Draft): string | undefined {
  const { name, value } = idOf(draft);
  switch (value.state) {
    case 'computed':
      return wrongExpression(draft, name, value);
    case 'literal':
      return wrongLiteral(draft, name, value.value);
    default:
      return undefined;
  }
}

function wrongExpression(
  draft: Draft,
  name: string,
  value: Extract<Value, { state: 'computed' }>,
): string | undefined {
  const { shape, layout } = draft;
  if (shiftKnown(draft))
    return shape.idShift === layout.idOffset
      ? undefined
      : `${name} counts from ${shape.idShift}, but this set's ids count from ${layout.idOffset}: others of the cluster have those`;
  if (keepsNodeId(draft)) return undefined;
  return value.fieldPath === undefined
    ? `${name} is the same for every replica`
    : `${name} is taken from ${value.fieldPath}, which is a name and not a number`;
}

function wrongLiteral({ shape, set, layout }: Draft, name: string, text: string): string | undefined {
  if (shape.nodeId === undefined) return `${name} is "${text}", which is not a number`;
  const { replicas = 1, ordinals } = set.spec ?? {};
  if (replicas > 1) return `${name} is ${text} for every replica`;
  const right = (ordinals?.start ?? 0) + layout.idOffset;
  return Number(text) === right ? undefined : `${name} is ${text}, but the quorum knows this pod as ${right}`;
}
