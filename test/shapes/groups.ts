import { shapeNames } from './shape.ts';

/** The shards that the shapes are proved in, by what the names of their files begin with; the others are a shard too. */
const groups = {
  apache: ['apache', 'native', 'quorum'],
  confluent: ['cp'],
  network: ['network', 'security', 'broken'],
  pods: ['pod', 'sidecar', 'size'],
  storage: ['storage'],
} as const;

export type Group = keyof typeof groups | 'others';

const named: readonly string[] = Object.values(groups).flat();

/** The shapes of a shard. */
export function shapesOf(group: Group): string[] {
  const own: readonly string[] = group === 'others' ? [] : groups[group];
  return shapeNames().filter((name) => {
    const first = name.split('-')[0] ?? '';
    return group === 'others' ? !named.includes(first) : own.includes(first);
  });
}
