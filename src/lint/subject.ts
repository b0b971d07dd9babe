import { isObject, type Json, type JsonObject } from '../hardening/tree.ts';

/** An object of the input as plain JSON, and the namespace that it is applied to. */
export interface Subject {
  readonly value: JsonObject;
  readonly namespace: string;
}

const field = (value: Json | undefined, key: string): Json | undefined =>
  isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;

/** The value at a path of plain keys; undefined where something on the way has another type. */
export const valueAt = (value: Json | undefined, ...path: string[]): Json | undefined =>
  path.reduce<Json | undefined>(field, value);

export const textAt = (value: Json | undefined, ...path: string[]): string | undefined => {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : undefined;
};

export const numberAt = (value: Json | undefined, ...path: string[]): number | undefined => {
  const found = valueAt(value, ...path);
  return typeof found === 'number' ? found : undefined;
};

/** The objects of a list with their indices; empty where there is none. */
export const objectsAt = (value: Json | undefined, ...path: string[]): [number, JsonObject][] => {
  const found = valueAt(value, ...path);
  if (!Array.isArray(found)) return [];
  return found.flatMap((element, i) => (isObject(element) ? [[i, element] as [number, JsonObject]] : []));
};

/** The entries of an object whose values are texts: labels, a selector, a ConfigMap's data. */
export const textsAt = (value: Json | undefined, ...path: string[]): Record<string, string> => {
  const found = valueAt(value, ...path);
  if (!isObject(found)) return {};
  return Object.fromEntries(
    Object.entries(found).filter((e): e is [string, string] => typeof e[1] === 'string'),
  );
};

export const nameOf = ({ value }: Subject): string => textAt(value, 'metadata', 'name') ?? '';
export const kindOf = ({ value }: Subject): string => textAt(value, 'kind') ?? '';

/** True where every label that the selector names has its value; an empty selector selects nothing here. */
export const selects = (selector: Record<string, string>, labels: Record<string, string>): boolean => {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
};
