/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices in range by construction */

/** A way to cool: from which temperature, and to which price of violation. */
export interface Style {
  readonly hottest: number;
  readonly lastPrice: number;
}

/** Price of a unit of violation when none is to be traded for less movement. */
export const STRICT = 1000;

/** The schedule of the main search (README, "Search"). Temperatures in sizes of an average replica. */
export const STYLES: readonly Style[] = [
  { hottest: 1, lastPrice: 2 },
  { hottest: 30, lastPrice: 2 },
  { hottest: 30, lastPrice: 2 },
  { hottest: 1, lastPrice: 30 },
];
const COLDEST = 2e-3;
export const TAIL = 0.15;
const SWEEP = 0.5;
const FIRST_PRICE = 1.05;

/** The cooling that makes the first plan. */
export const FIRST_STYLE: Style = { hottest: 3, lastPrice: 5 };
/** Where the budget is for one cooling only. */
export const ONLY_STYLE: Style = { hottest: 30, lastPrice: 2 };

/** One temperature of the cooling, with the share of the search at which it begins. */
export interface Level {
  readonly begins: number;
  readonly temperature: number;
  readonly price: number;
}

export const LEVELS = 200;

/**
 * Temperatures fall geometrically, and each lasts the longer the more replicas take part in it (to the power
 * `SWEEP`). Meanwhile the price of violation rises from just above the value of what would have to move, so that
 * exchanges over the edge of a band stay cheap; in the tail it becomes prohibitive.
 */
export function coolingOf({ hottest, lastPrice }: Style, round: (temperature: number) => number): Level[] {
  const levels = Array.from({ length: LEVELS }, (_, i) => {
    const share = i / LEVELS;
    return {
      temperature: hottest * (COLDEST / hottest) ** share,
      price: FIRST_PRICE * (lastPrice / FIRST_PRICE) ** share,
    };
  });
  const duration = levels.map(({ temperature }) => round(temperature) ** SWEEP);
  const total = duration.reduce((sum, one) => sum + one, 0);
  let passed = 0;
  return levels.map((level, i) => {
    const begins = ((1 - TAIL) * passed) / total;
    passed += duration[i]!;
    return { ...level, begins };
  });
}

/** Price of violation in the tail, and its temperature, the coldest. */
export function tailOf(share: number, { lastPrice }: Style): Level {
  const into = Math.max(0, (share - 1 + TAIL) / TAIL);
  return { begins: 1 - TAIL, temperature: COLDEST, price: lastPrice * (STRICT / lastPrice) ** into };
}
