import { createHash } from 'node:crypto';

/**
 * JSON in the one form that is hashed: keys in order of their code units, no white space, what is undefined left out.
 * Throws `TypeError` for numbers that JSON cannot carry.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new TypeError(`a plan cannot hold the number ${value}`);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const entries = Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonicalJson(one)}`).join(',')}}`;
}

/** SHA-256 of a text, as 64 hexadecimal digits. */
export const hashOfText = (text: string): string => createHash('sha256').update(text).digest('hex');

/** SHA-256 of the canonical JSON. */
export const hashOf = (value: unknown): string => hashOfText(canonicalJson(value));

/** As much of a hash as people compare. */
export const shortHash = (hash: string): string => hash.slice(0, 12);
