/* eslint-disable @typescript-eslint/no-non-null-assertion -- arrays of one broker, indices in range by construction */

/** A log directory of a broker as a plan leaves it, before anything is moved within the broker. */
export interface DirectoryLoad {
  /** Above 0. */
  readonly capacity: number;
  /** What may be in it at any moment while the plan is carried out. */
  readonly limit: number;
  /** What is in it in the end; and with all that comes, while nothing has gone. */
  readonly load: number;
  readonly peak: number;
}

/** A replica that may be moved to another directory, and the one that it lies in. */
export interface Movable {
  readonly size: number;
  readonly home: number;
}

export interface Band {
  readonly tolerance: number;
  /** Only what is over counts. */
  readonly onlyOver: boolean;
}

export interface Evened {
  /** Directory of each replica, in the order in which they were given. */
  readonly at: Int32Array;
  /** How far loads lie outside the band, summed, before and after. */
  readonly before: number;
  readonly after: number;
}

/** Below this share of an average directory nothing is worth while. */
const GRAIN = 1e-6;

const sum = (values: readonly number[]): number => values.reduce((total, one) => total + one, 0);

/** Loads of directories against their band, while replicas are moved. */
class Directories {
  readonly count: number;
  readonly load: Float64Array;
  readonly peak: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly limit: Float64Array;
  readonly capacity: Float64Array;
  readonly grain: number;

  constructor(dirs: readonly DirectoryLoad[], { tolerance, onlyOver }: Band) {
    const mean = sum(dirs.map(({ load }) => load)) / sum(dirs.map(({ capacity }) => capacity));
    this.count = dirs.length;
    this.load = Float64Array.from(dirs, ({ load }) => load);
    this.peak = Float64Array.from(dirs, ({ peak }) => peak);
    this.limit = Float64Array.from(dirs, ({ limit }) => limit);
    this.capacity = Float64Array.from(dirs, ({ capacity }) => capacity);
    this.upper = this.capacity.map((one) => one * mean * (1 + tolerance));
    this.lower = this.capacity.map((one) => (onlyOver ? -Infinity : one * mean * (1 - tolerance)));
    this.grain = (GRAIN * sum(dirs.map(({ load }) => load))) / dirs.length;
  }

  /** Distance of a load from the band. */
  off(d: number, load: number): number {
    return Math.max(0, load - this.upper[d]!, this.lower[d]! - load);
  }

  violation(): number {
    let total = 0;
    for (let d = 0; d < this.count; d++) total += this.off(d, this.load[d]!);
    return total;
  }

  /** By how much the violation falls when so much more goes from d to e than back. */
  gain(d: number, e: number, size: number): number {
    const [from, to] = [this.load[d]!, this.load[e]!];
    return this.off(d, from) + this.off(e, to) - this.off(d, from - size) - this.off(e, to + size);
  }

  /** The most that may go from d to e while each unit of it counts fully. */
  useful(d: number, e: number): number {
    const [over, under] = [this.load[d]! - this.upper[d]!, this.lower[e]! - this.load[e]!];
    if (over > 0 && under > 0) return Math.min(over, under);
    if (over > 0) return Math.min(over, this.upper[e]! - this.load[e]!);
    return under > 0 ? Math.min(under, this.load[d]! - this.lower[d]!) : 0;
  }
}

/** A move of replica `a`, or its exchange for `b`. */
interface Step {
  readonly a: number;
  readonly b?: number;
  readonly to: number;
  readonly gain: number;
  readonly cost: number;
}

/** Most violation mended for the data copied; what costs nothing first, then the larger step. */
function better(one: Step, other: Step | undefined): boolean {
  if (other === undefined) return true;
  const rate = ({ gain, cost }: Step): number => (cost <= 0 ? Infinity : gain / cost);
  const [a, b] = [rate(one), rate(other)];
  if (a === b) return one.gain > other.gain * (1 + 1e-12);
  return a > b * (1 + 1e-12);
}

class Evening {
  readonly dirs: Directories;
  readonly replicas: readonly Movable[];
  readonly at: Int32Array;
  /** Replicas in each directory, the smallest first. */
  readonly #in: number[][];
  readonly #bySize: readonly number[];

  constructor(dirs: Directories, replicas: readonly Movable[]) {
    this.dirs = dirs;
    this.replicas = replicas;
    this.at = Int32Array.from(replicas, ({ home }) => home);
    this.#bySize = replicas.map((_, i) => i).sort((a, b) => this.size(a) - this.size(b) || a - b);
    this.#in = Array.from({ length: dirs.count }, (_, d) => this.#bySize.filter((i) => this.at[i] === d));
  }

  size(i: number): number {
    return this.replicas[i]!.size;
  }

  /** Data copied more, or less, when replica i goes to directory d. */
  #cost(i: number, d: number): number {
    const { size, home } = this.replicas[i]!;
    return size * (Number(d !== home) - Number(this.at[i] !== home));
  }

  /** Whether there is room for it while nothing has gone yet. */
  #fits(i: number, d: number): boolean {
    const { size, home } = this.replicas[i]!;
    return d === home || this.dirs.peak[d]! + size <= this.dirs.limit[d]!;
  }

  move(i: number, d: number): void {
    const { size, home } = this.replicas[i]!;
    const from = this.at[i]!;
    this.dirs.load[from]! -= size;
    this.dirs.load[d]! += size;
    if (from !== home) this.dirs.peak[from]! -= size;
    if (d !== home) this.dirs.peak[d]! += size;
    this.#in[from]!.splice(this.#in[from]!.indexOf(i), 1);
    this.#in[d]!.splice(this.#above(d, size, i), 0, i);
    this.at[i] = d;
  }

  /** Where the first replica of a directory stands that is larger than this, or as large and later. */
  #above(d: number, size: number, after = Infinity): number {
    const list = this.#in[d]!;
    let [low, high] = [0, list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const i = list[middle]!;
      if (this.size(i) < size || (this.size(i) === size && i < after)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The largest replica of d that is at most so large, and the next larger one. */
  #around(d: number, size: number): number[] {
    const above = this.#above(d, size);
    return this.#in[d]!.slice(Math.max(0, above - 1), above + 1);
  }

  /** Moves and exchanges while they mend something; the loads end nearer to their band, or as they were. */
  run(): void {
    for (let left = 8 * this.replicas.length + 64; left > 0; left--) {
      const step = this.#best((d, e) => this.#moves(d, e)) ?? this.#best((d, e) => this.#exchanges(d, e));
      if (step === undefined) return;
      const from = this.at[step.a]!;
      this.move(step.a, step.to);
      if (step.b !== undefined) this.move(step.b, from);
    }
  }

  #best(steps: (d: number, e: number) => Iterable<Step>): Step | undefined {
    let best: Step | undefined;
    for (const [d, e] of this.#pairs())
      for (const step of steps(d, e)) if (step.gain > this.dirs.grain && better(step, best)) best = step;
    return best;
  }

  /** Directories between which something may be mended. */
  *#pairs(): Iterable<[number, number]> {
    for (let d = 0; d < this.dirs.count; d++)
      for (let e = 0; e < this.dirs.count; e++) if (d !== e && this.dirs.useful(d, e) > 0) yield [d, e];
  }

  *#moves(d: number, e: number): Iterable<Step> {
    const room = this.dirs.limit[e]! - this.dirs.peak[e]!;
    const useful = this.dirs.useful(d, e);
    for (const a of [...this.#around(d, useful), ...this.#around(d, Math.min(useful, room))]) {
      if (this.#fits(a, e))
        yield { a, to: e, gain: this.dirs.gain(d, e, this.size(a)), cost: this.#cost(a, e) };
    }
  }

  *#exchanges(d: number, e: number): Iterable<Step> {
    const useful = this.dirs.useful(d, e);
    for (const b of this.#in[e]!) {
      if (!this.#fits(b, d)) continue;
      for (const a of this.#around(d, this.size(b) + useful)) {
        const gain = this.dirs.gain(d, e, this.size(a) - this.size(b));
        if (this.#fits(a, e)) yield { a, b, to: e, gain, cost: this.#cost(a, e) + this.#cost(b, d) };
      }
    }
  }

  /** Deals all replicas anew, the largest first, each to the directory that is then least used of those with room. */
  deal(): void {
    const { load, capacity, count } = this.dirs;
    for (const [i, { home }] of this.replicas.entries()) if (this.at[i] !== home) this.move(i, home);
    for (const { size, home } of this.replicas) load[home]! -= size;
    for (const i of [...this.#bySize].reverse()) {
      const { size, home } = this.replicas[i]!;
      let to = home;
      for (let d = 0; d < count; d++) {
        const isLess = (load[d]! + size) / capacity[d]! < (load[to]! + size) / capacity[to]!;
        if (isLess && this.#fits(i, d)) to = d;
      }
      load[home]! += size;
      this.move(i, to);
    }
  }

  /** Brings home what need not have moved, the largest first. */
  bringHome(): void {
    for (const i of [...this.#bySize].reverse()) {
      const [{ size, home }, from] = [this.replicas[i]!, this.at[i]!];
      if (from !== home && this.dirs.gain(from, home, size) >= 0) this.move(i, home);
    }
  }
}

function evenedBy(
  dirs: readonly DirectoryLoad[],
  { replicas, band }: { replicas: readonly Movable[]; band: Band },
  how: (evening: Evening) => void,
): Evened {
  const evening = new Evening(new Directories(dirs, band), replicas);
  const before = evening.dirs.violation();
  how(evening);
  evening.bringHome();
  return { at: evening.at, before, after: evening.dirs.violation() };
}

/**
 * Moves replicas between the directories of one broker until each is used as much as the others, relative to its capacity,
 * within the tolerance; least data first. Where single moves and exchanges do not get there and dealing all replicas anew
 * does, that is taken. No directory is filled beyond its limit at any moment, and the violation never grows.
 */
export function evened(dirs: readonly DirectoryLoad[], replicas: readonly Movable[], band: Band): Evened {
  const step = evenedBy(dirs, { replicas, band }, (evening) => evening.run());
  const grain = new Directories(dirs, band).grain;
  if (step.after <= grain) return step;
  const dealt = evenedBy(dirs, { replicas, band }, (evening) => {
    evening.deal();
    evening.run();
  });
  return dealt.after < step.after - grain ? dealt : step;
}
