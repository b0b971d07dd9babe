import type { NodePod } from './nodes.ts';

/** When pods came up, on the clock of this process: since when their brokers should serve. */
export class Readiness {
  /** By UID; undefined for one that was only seen not ready. */
  #sinceMs = new Map<string, number | undefined>();

  /** Looks at all pods; what is gone is forgotten. One that is ready when it is first seen may have been so for long. */
  note(pods: readonly Pick<NodePod, 'uid' | 'ready'>[], nowMs: number): void {
    this.#sinceMs = new Map(
      pods.map(({ uid, ready }): [string, number | undefined] => {
        const sinceMs = this.#sinceMs.get(uid);
        if (!ready || sinceMs !== undefined) return [uid, sinceMs];
        return [uid, this.#sinceMs.has(uid) ? nowMs : -Infinity];
      }),
    );
  }

  /** When it was first seen ready; undefined where it never was. */
  firstMs(uid: string): number | undefined {
    return this.#sinceMs.get(uid);
  }
}
