/** A small seeded generator (sfc32), so that a plan can be made again from its seed. */
export interface Random {
  /** The next number in [0, 1), with 32 random bits. */
  readonly next: () => number;
  /** The next integer in [0, bound). */
  readonly below: (bound: number) => number;
}

/** Generators of equal seed give equal sequences on every machine. */
export function randomOf(seed: number): Random {
  let a = 0x9e3779b9;
  let b = seed | 0;
  let c = 0x243f6a88;
  let counter = 1;
  const bits = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 15; i++) bits();
  return {
    next: () => bits() * 2 ** -32,
    below: (bound) => Math.floor(bits() * 2 ** -32 * bound),
  };
}
