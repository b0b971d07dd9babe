import {
  harden,
  hardenService,
  type Decision,
  type Finding,
  type Mode,
  type PatchOperation,
  type Service,
  type StatefulSet,
} from '../hardening/index.ts';
import { applyPatch } from '../hardening/diff.ts';
import { at, isObject, type Json, type JsonObject } from '../hardening/tree.ts';
import { CliError } from './errors.ts';
import type { ManifestDocument } from './manifest/document.ts';
import { objectsOf, placeOf, type ManifestObject } from './manifest/objects.ts';

/** What hardening says of one object of the input, and what it becomes. */
export interface Assessment {
  readonly object: ManifestObject;
  /** `--namespace`, else the object's own, else `default`. */
  readonly namespace: string;
  readonly decision: Decision;
  readonly patch: readonly PatchOperation[];
  readonly findings: readonly Finding[];
  /** The object after the patch. */
  readonly value: JsonObject;
}

export interface AssessOptions {
  readonly namespace?: string | undefined;
  readonly mode?: Mode | undefined;
}

/** How far the input is assessed. */
interface Progress {
  readonly done: ReadonlyMap<ManifestObject, Assessment>;
  readonly options: AssessOptions;
}

/** The namespace that an object is applied to. Throws `CliError` where `--namespace` contradicts the object. */
export const namespaceOf = (object: ManifestObject, given: string | undefined): string => {
  if (given !== undefined && object.namespace !== undefined && given !== object.namespace)
    throw new CliError(
      'namespace-conflict',
      `the object names the namespace ${object.namespace}, --namespace says ${given}; leave one out.`,
      placeOf(object, '/metadata/namespace'),
    );
  return given ?? object.namespace ?? 'default';
};

const isTemplate = (value: Json | undefined): boolean => typeof value === 'string' && value.includes('{{');

/** The places of a StatefulSet where a template is told from a manifest: elsewhere braces may be meant. */
const templatePath = ({ name, value }: ManifestObject): string | undefined => {
  if (isTemplate(name)) return '/metadata/name';
  const path = ['spec', 'template', 'spec', 'containers'];
  const containers = at(value, path);
  const index = Array.isArray(containers)
    ? containers.findIndex((container) => isObject(container) && isTemplate(container['image']))
    : -1;
  return index < 0 ? undefined : `/${path.join('/')}/${index}/image`;
};

/** Refuses what nobody could apply. What lies deeper the core looks at. */
const checkSet = (object: ManifestObject): void => {
  const { name, apiVersion } = object;
  if (name === '')
    throw new CliError(
      'invalid-object',
      'the StatefulSet has no metadata.name.',
      placeOf(object, '/metadata'),
    );
  if (apiVersion !== 'apps/v1')
    throw new CliError(
      'invalid-object',
      `StatefulSets of ${apiVersion} are not served any more; write apps/v1.`,
      placeOf(object, '/apiVersion'),
    );
  const path = templatePath(object);
  if (path !== undefined)
    throw new CliError(
      'helm-template',
      'this is a template ({{ … }}), not a manifest: render it first (helm template).',
      placeOf(object, path),
    );
};

const setOf = (value: JsonObject): StatefulSet => value;

/** What stands beside a set in its namespace: the Services of the input and its other sets, the earlier ones as hardened. */
const beside = (object: ManifestObject, input: readonly ManifestObject[], { done, options }: Progress) => {
  const namespace = namespaceOf(object, options.namespace);
  const near = input.filter(
    (other) => other !== object && namespaceOf(other, options.namespace) === namespace,
  );
  return {
    services: near.filter(isService).map(({ value }): Service => value),
    siblings: near.filter(isStatefulSet).map((other) => setOf(done.get(other)?.value ?? other.value)),
  };
};

const assessSet = (
  object: ManifestObject,
  input: readonly ManifestObject[],
  progress: Progress,
): Assessment => {
  checkSet(object);
  const { namespace: given, mode } = progress.options;
  const namespace = namespaceOf(object, given);
  const context = { ...beside(object, input, progress), namespace, mode };
  const { decision, patch, findings, workload } = harden(setOf(object.value), context);
  return { object, namespace, decision, patch, findings, value: workload as unknown as JsonObject };
};

const assessService = (
  object: ManifestObject,
  namespace: string,
  sets: readonly Assessment[],
): Assessment => {
  const neighbours = sets
    .filter((set) => set.namespace === namespace && set.decision === 'hardened')
    .map(({ value }) => setOf(value));
  const { patch, findings } = hardenService(object.value, { sets: neighbours });
  const decision = patch.length > 0 ? 'hardened' : findings.length > 0 ? 'reported' : 'ignored';
  return { object, namespace, decision, patch, findings, value: applyPatch(object.value, patch) };
};

export const isStatefulSet = ({ apiVersion, kind }: ManifestObject): boolean =>
  kind === 'StatefulSet' && /^(apps|extensions)\//.test(apiVersion);

const isService = ({ apiVersion, kind }: ManifestObject): boolean =>
  kind === 'Service' && apiVersion === 'v1';

/**
 * Hardens every StatefulSet of the input beside the others of its namespace and their Services and, where the Service that
 * governs one of them is in the input too, that Service. Objects of other kinds are not in the result. Throws `CliError` for
 * what is no valid object.
 */
export const assess = (documents: readonly ManifestDocument[], options: AssessOptions): Assessment[] => {
  const objects = documents.flatMap(objectsOf);
  const done = new Map<ManifestObject, Assessment>();
  const input = objects.filter((object) => isStatefulSet(object) || isService(object));
  for (const object of input.filter(isStatefulSet))
    done.set(object, assessSet(object, input, { done, options }));
  const sets = [...done.values()];
  for (const object of input.filter(isService))
    done.set(object, assessService(object, namespaceOf(object, options.namespace), sets));
  return objects.flatMap((object) => done.get(object) ?? []);
};
