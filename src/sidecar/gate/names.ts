import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import type { NodePod } from './nodes.ts';

/** A JVM keeps what it has looked up for half a minute (`InetAddressCachePolicy`), where nothing else is set. */
const jvmMs = { usual: 30_000, told: 5_000 };
/** What the endpoints of a Service need to reach the DNS. */
const slackMs = 2_000;

/**
 * How long a name may be taken for the address that it stood for before: by a JVM that looked it up at the last moment, from a
 * cache that had just taken it in. The slowest pod counts.
 */
export function namesKeptMs(pods: readonly Pick<NodePod, 'looksUp'>[], recordTtlMs: number): number {
  const jvm = pods.every(({ looksUp }) => looksUp) ? jvmMs.told : jvmMs.usual;
  return jvm + recordTtlMs + slackMs;
}

interface RecordTtlOptions {
  /** Of a clock that is never set back. */
  readonly nowMs: () => number;
  /** Seconds of the records of a name; fails where there are none. */
  readonly resolve?: (host: string) => Promise<number[]>;
}

/** Up to here a record's own time is believed. What is longer may be the rest of one in a cache, of half a minute as a rule. */
const believedMs = 5_000;
const usualMs = 30_000;
const againMs = 600_000;

/** How long the cluster's DNS, and caches between it and a node, may keep the address of a pod. */
export class RecordTtl {
  readonly #options: RecordTtlOptions;
  #ms = usualMs;
  #lookedAtMs = -Infinity;

  constructor(options: RecordTtlOptions) {
    this.#options = options;
  }

  /** Half a minute, until something shorter was found. */
  get ms(): number {
    return this.#ms;
  }

  /** Asks for a name of the cluster, at most once in ten minutes; what cannot be found counts as the usual. */
  look(host: string | undefined): void {
    const { nowMs, resolve = ttlsOf } = this.#options;
    if (host === undefined || nowMs() - this.#lookedAtMs < againMs) return;
    this.#lookedAtMs = nowMs();
    resolve(host).then(
      (seconds) => {
        const longestMs = seconds.length === 0 ? Infinity : 1_000 * Math.max(...seconds);
        this.#ms = longestMs <= believedMs ? longestMs : usualMs;
      },
      () => (this.#ms = usualMs),
    );
  }
}

/** Of the name as it is, and behind the domain of the cluster, which the resolver's own search list has. */
async function ttlsOf(host: string): Promise<number[]> {
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  const found = await Promise.any(
    ['', ...clusterDomains()].map((domain) => resolver.resolve4(`${host}${domain}`, { ttl: true })),
  );
  return found.map(({ ttl }) => ttl);
}

function clusterDomains(): string[] {
  const search = /^search\s+(.*)$/m.exec(readFileSync('/etc/resolv.conf', 'utf8'))?.[1] ?? '';
  return search
    .split(/\s+/)
    .filter((domain) => domain.startsWith('svc.'))
    .map((domain) => domain.slice('svc'.length));
}
