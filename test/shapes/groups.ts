import { shapeNames } from './shape.ts';

/** The shards that the shapes are proved in, by what the names of their files begin with. */
const groups = {
  apache: ['apache', 'native', 'quorum'],
  confluent: ['cp'],
  others: ['bitnami', 'private', 'image', 'monitoring'],
  network: ['network', 'security', 'broken'],
  pods: ['pod', 'sidecar', 'size'],
  storage: ['storage'],
} as const;

export type Group = keyof typeof groups;

const first = (name: string): string => name.split('-')[0] ?? '';

/** The shapes of a shard. Throws where a shape is in none. */
export function shapesOf(group: Group): string[] {
  const known: string[] = Object.values(groups).flat();
  const lost = shapeNames().find((name) => !known.includes(first(name)));
  if (lost !== undefined)
    throw new Error(`${lost} is in no shard: add what its name begins with to groups.ts`);
  const own: readonly string[] = groups[group];
  return shapeNames().filter((name) => own.includes(first(name)));
}
