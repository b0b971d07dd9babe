import { isObject, type Json, type JsonObject } from '../../hardening/tree.ts';
import { CliError, type Place } from '../errors.ts';
import type { ManifestDocument } from './document.ts';

/** One Kubernetes object of a manifest: a document's own, or an item of a `kind: List`. */
export interface ManifestObject {
  readonly document: ManifestDocument;
  /** JSON pointer from the document's root: empty, or `/items/3`. */
  readonly pointer: string;
  readonly value: JsonObject;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** `metadata.namespace`, where it stands. */
  readonly namespace?: string;
}

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

/** Where an object, or a place in it, stands. */
export const placeOf = ({ document, pointer }: ManifestObject, path = ''): Place => {
  const line = document.lineOf(pointer + path);
  return { file: document.file, document: document.index, ...(line !== undefined && { line }) };
};

const itemsOf = (list: JsonObject): readonly Json[] | undefined => {
  const { items, kind } = list;
  return text(kind).endsWith('List') && Array.isArray(items) ? items : undefined;
};

/** Items of a `StatefulSetList` may leave out what its own kind says. */
const itemOf = (list: JsonObject, item: Json): Json => {
  const kind = text(list['kind']).replace(/List$/, '');
  if (kind === '' || !isObject(item)) return item;
  return { apiVersion: list['apiVersion'] ?? '', kind, ...item };
};

const objectAt = (document: ManifestDocument, pointer: string, value: Json): ManifestObject[] => {
  const line = document.lineOf(pointer);
  const place = { file: document.file, document: document.index, ...(line !== undefined && { line }) };
  if (!isObject(value))
    throw new CliError('invalid-object', 'this is not a Kubernetes object: it has no kind.', place);
  const { apiVersion, kind } = value;
  for (const [key, given] of Object.entries({ apiVersion, kind }))
    if (text(given) === '') throw new CliError('invalid-object', `the object has no ${key}.`, place);
  const items = itemsOf(value);
  if (items !== undefined)
    return items.flatMap((item, index) =>
      objectAt(document, `${pointer}/items/${index}`, itemOf(value, item)),
    );
  const metadata = isObject(value['metadata']) ? value['metadata'] : {};
  const namespace = text(metadata['namespace']);
  return [
    {
      document,
      pointer,
      value,
      apiVersion: text(apiVersion),
      kind: text(kind),
      name: text(metadata['name']),
      ...(namespace !== '' && { namespace }),
    },
  ];
};

/** The objects of a document, the items of lists one by one. Throws `CliError` `invalid-object`. */
export const objectsOf = (document: ManifestDocument): ManifestObject[] =>
  document.value === null ? [] : objectAt(document, '', document.value);

const replacedAt = (value: Json, [segment, ...rest]: readonly string[], next: Json): Json => {
  if (segment === undefined) return next;
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === segment ? replacedAt(item, rest, next) : item));
  return isObject(value) ? { ...value, [segment]: replacedAt(value[segment] ?? null, rest, next) } : value;
};

/** What an object became. */
export interface Replacement {
  readonly object: ManifestObject;
  readonly value: JsonObject;
}

/** A document's value with some of its objects replaced. */
export const withReplacements = (document: ManifestDocument, replacements: readonly Replacement[]): Json =>
  replacements
    .filter(({ object }) => object.document === document)
    .reduce<Json>((value, { object, value: next }) => {
      return replacedAt(value, object.pointer.split('/').slice(1), next);
    }, document.value);

/** `StatefulSet shop/kafka`, as messages name an object. */
export const nameOf = ({ kind, name }: ManifestObject, namespace: string): string =>
  `${kind} ${namespace}/${name}`;
