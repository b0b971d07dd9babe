import { join } from 'node:path';

/** The root of the checkout that this file lies in. */
export const checkout = join(import.meta.dirname, '..', '..');

/** A path in this folder, relative to the checkout. */
export function ownFile(...parts: string[]): string {
  return join('test', 'cluster', ...parts);
}
