import { layoutOf } from './layout.ts';
import type { Context, Layout, StatefulSet } from './model.ts';

/** Ordinals that a set has now, as a range. */
function rangeOf(set: StatefulSet, { idOffset }: Layout): [number, number] {
  const { replicas = 1, ordinals } = set.spec ?? {};
  const first = idOffset + (ordinals?.start ?? 0);
  return [first, first + Math.max(1, replicas)];
}

/** Another set of the cluster whose nodes have ids that a new set would give to its own. */
export function collidingSibling(
  set: StatefulSet,
  layout: Layout,
  { siblings = [] }: Pick<Context, 'siblings'>,
): { name: string; ids: string; free: number } | undefined {
  const [from, to] = rangeOf(set, layout);
  const others = siblings.flatMap((sibling) => {
    const other = layoutOf(sibling);
    const isOther = sibling.metadata?.name !== set.metadata?.name && other?.cluster === layout.cluster;
    return isOther ? [{ name: sibling.metadata?.name ?? '', range: rangeOf(sibling, other) }] : [];
  });
  const taken = others.find(({ range: [first, end] }) => first < to && from < end);
  if (taken === undefined) return undefined;
  const highest = Math.max(...others.map(({ range: [, end] }) => end));
  return {
    name: taken.name,
    ids: `${taken.range[0]} to ${taken.range[1] - 1}`,
    free: Math.ceil(highest / 100) * 100,
  };
}
