export interface Times {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export function timesOf(durationsMs: readonly number[]): Times {
  const sorted = durationsMs.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

/** Durations by name, of calls that are made through `timed`. */
export class Stopwatch {
  readonly #durations = new Map<string, number[]>();

  timed<A extends unknown[], R>(name: string, call: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return async (...args) => {
      const from = performance.now();
      try {
        return await call(...args);
      } finally {
        this.note(name, performance.now() - from);
      }
    };
  }

  note(name: string, durationMs: number): void {
    const known = this.#durations.get(name);
    if (known === undefined) this.#durations.set(name, [durationMs]);
    else known.push(durationMs);
  }

  clear(): void {
    this.#durations.clear();
  }

  times(): Record<string, Times> {
    return Object.fromEntries([...this.#durations].map(([name, durations]) => [name, timesOf(durations)]));
  }
}
