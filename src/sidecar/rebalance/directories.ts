import { anyDirectory } from '../../execution/index.ts';
import type { LogDir } from '../../kafka/index.ts';

/** What brokers told of their log directories; one that did not answer is not in it. */
export type DirectoriesByBroker = ReadonlyMap<number, readonly LogDir[]>;

export interface NamedReplica {
  readonly topic: string;
  readonly partition: number;
  readonly broker: number;
  /** The broker has the replica already. */
  readonly stays: boolean;
  readonly path: string;
}

/** Log directories as plans name them, looked up often. */
export class Directories {
  readonly #dirs: DirectoriesByBroker;
  readonly #lies = new Map<number, Map<string, string>>();

  constructor(dirs: DirectoriesByBroker) {
    this.#dirs = dirs;
  }

  /** The directory as the plan carries it: none where the replica lies there. Or why the broker cannot do it. */
  planned(one: NamedReplica): { readonly path: string } | { readonly problem: string } {
    const { topic, partition, broker, stays, path } = one;
    if (path === anyDirectory) return { path };
    const dirs = this.#dirs.get(broker);
    if (dirs === undefined) return { problem: `broker ${broker} has not told of its log directories` };
    if (stays && this.#placesOf(broker, dirs).get(`${topic}\n${partition}`) === path)
      return { path: anyDirectory };
    const found = dirs.find((dir) => dir.path === path);
    if (found === undefined) {
      const known = dirs.map((dir) => dir.path).join(', ');
      return { problem: `broker ${broker} has no log directory ${path}, but ${known}` };
    }
    if (found.error !== undefined)
      return { problem: `the log directory ${path} of broker ${broker} is offline` };
    const failed = dirs.find(({ error }) => error !== undefined);
    if (stays && failed !== undefined) {
      const problem = `broker ${broker} moves nothing between its log directories while ${failed.path} is offline`;
      return { problem };
    }
    return { path };
  }

  #placesOf(broker: number, dirs: readonly LogDir[]): ReadonlyMap<string, string> {
    const known = this.#lies.get(broker);
    if (known !== undefined) return known;
    const lies = new Map<string, string>();
    for (const { path, replicas } of dirs)
      for (const { topic, partition, future } of replicas)
        if (!future) lies.set(`${topic}\n${partition}`, path);
    this.#lies.set(broker, lies);
    return lies;
  }
}
