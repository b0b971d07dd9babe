import type { Summary } from './summary.ts';

/**
 * How a plan stands to the proven minimum, in words. All data is what a plan moves at most, so a larger bound proves that no
 * plan of its mode brings every broker into the band.
 */
export function minimumText(
  { boundShare, ratio }: Pick<Summary, 'boundShare'> & { readonly ratio?: number | undefined },
  write: { readonly share: (share: number) => string; readonly ratio: (ratio: number) => string },
): string {
  if (ratio !== undefined)
    return `${write.share(boundShare)} proven (this plan: ${write.ratio(ratio)} times that)`;
  if (boundShare > 1) return 'proven: no plan of this mode brings every broker into the band';
  return `${write.share(boundShare)} proven, for plans that leave no broker outside`;
}
