import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { ViewClient, type ViewLink } from '../../kafka/view-client.ts';
import { type Digest, Digestion, type ScanTerms, type Told } from './digest.ts';
import type { Scan } from '../../gate/scan.ts';

/** Who is to be asked, over connections of the thread's own. */
export interface Asked {
  readonly brokers: readonly { readonly id: number; readonly host: string; readonly port: number }[];
  readonly eligibleLeaders: boolean;
  readonly link: ViewLink;
}

/** What came of it; the answer itself stays in the thread. */
export type Heard = Pick<Told, 'broker'>;

/** The calls of the thread. What was fetched is digested by a call of its own: a read may be given up before. */
interface Calls {
  /** Brokers that do not answer are left out. */
  readonly fetch: { readonly asked: Asked; readonly answer: readonly Heard[] };
  /** Answers that the caller has; their memory changes hands. */
  readonly take: { readonly asked: readonly Told[]; readonly answer: null };
  /** Topics are left out where they are those of the last digest. */
  readonly digest: {
    readonly asked: { readonly readAtMs: number };
    readonly answer: Omit<Digest, 'topics'> & { readonly topics?: readonly string[] };
  };
  readonly scan: { readonly asked: ScanTerms; readonly answer: ReadonlyMap<number, Scan> };
}
type Call = keyof Calls;

export interface DigestThreadOptions {
  readonly log: { warn(fields: object, message: string): void };
  /** A thread that takes longer is ended, and counts as dead. */
  readonly patienceMs?: number;
  readonly pauseMs?: { readonly first: number; readonly longest: number };
}

const patienceMs = 10_000;
const pauseMs = { first: 1_000, longest: 30_000 };
/** Of the thread's own objects; arrays of the partitions come on top. */
const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 };

type Reply = { readonly value: unknown } | { readonly problem: string };

/**
 * The thread that asks for views of large clusters and digests them. Where it dies the read fails, evidence grows too old
 * and the answer is no; it is started again after a pause that grows, and knows nothing of what was before.
 */
export class DigestThread {
  readonly #options: DigestThreadOptions;
  #worker: Worker | undefined;
  #asked: { readonly worker: Worker; readonly fail: (error: Error) => void } | undefined;
  #failures = 0;
  #notBeforeMs = -Infinity;
  #closed = false;
  #topics: readonly string[] = [];

  constructor(options: DigestThreadOptions) {
    this.#options = options;
  }

  /** Who answered. */
  fetch(asked: Asked): Promise<readonly Heard[]> {
    return this.#call('fetch', asked);
  }

  async take(told: readonly Told[]): Promise<void> {
    await this.#call('take', told, buffersOf(told));
  }

  /** Of what was fetched or taken last. */
  async digest(readAtMs: number): Promise<Digest> {
    const { topics = this.#topics, ...digest } = await this.#call('digest', { readAtMs });
    this.#topics = topics;
    return { ...digest, topics };
  }

  /** Of what was digested last, once. */
  scan(terms: ScanTerms): Promise<ReadonlyMap<number, Scan>> {
    return this.#call('scan', terms);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#asked?.fail(new Error('the thread that reads the brokers’ answers was ended'));
    await worker?.terminate();
  }

  /** One at a time. Rejects where the thread is dead, or dies. */
  async #call<C extends Call>(
    call: C,
    asked: Calls[C]['asked'],
    transfer: ArrayBuffer[] = [],
  ): Promise<Calls[C]['answer']> {
    const worker = this.#started();
    const timeoutMs = this.#options.patienceMs ?? patienceMs;
    let timer: NodeJS.Timeout | undefined;
    try {
      const reply = await new Promise<Reply>((resolve, reject) => {
        this.#asked = { worker, fail: reject };
        timer = setTimeout(() => this.#lost(worker, `took more than ${timeoutMs} ms`), timeoutMs);
        worker.once('message', resolve);
        worker.postMessage({ call, asked }, transfer);
      });
      if ('problem' in reply)
        throw new Error(`The answers of the brokers could not be read: ${reply.problem}`);
      this.#failures = 0;
      return reply.value as Calls[C]['answer'];
    } finally {
      clearTimeout(timer);
      this.#asked = undefined;
    }
  }

  #started(): Worker {
    if (this.#closed) throw new Error('Nothing more is read');
    if (this.#worker !== undefined) return this.#worker;
    const leftMs = this.#notBeforeMs - performance.now();
    if (leftMs > 0)
      throw new Error(
        `The thread that reads the brokers’ answers has died and is started again in ${Math.ceil(leftMs / 1_000)} s`,
      );
    const worker = new Worker(new URL(import.meta.url), { workerData: { digests: true }, resourceLimits });
    worker.unref();
    worker.on('error', (error: unknown) =>
      this.#lost(worker, error instanceof Error ? error.message : String(error)),
    );
    worker.on('exit', (code) => this.#lost(worker, `ended with code ${code}`));
    return (this.#worker = worker);
  }

  /** Heard once of each thread: what comes later is the end of what is lost already. */
  #lost(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const { first, longest } = this.#options.pauseMs ?? pauseMs;
    this.#notBeforeMs = performance.now() + Math.min(longest, first * 2 ** this.#failures);
    this.#failures += 1;
    const message = `The thread that reads the brokers’ answers ${why}`;
    this.#options.log.warn({ event: 'gate-thread-lost', failures: this.#failures }, message);
    void worker.terminate();
    if (this.#asked?.worker === worker) this.#asked.fail(new Error(message));
  }
}

/** The memory of answers. */
export const buffersOf = (told: readonly Told[]): ArrayBuffer[] =>
  told
    .flatMap(({ bytes }) => [bytes.metadata, ...(bytes.pages ?? [])])
    .map(({ buffer }) => buffer as ArrayBuffer);

type Handlers = { [C in Call]: (asked: Calls[C]['asked']) => Promise<Calls[C]['answer']> };

/** What the thread does. */
function handlers(): Handlers {
  const client = new ViewClient();
  const digestion = new Digestion();
  let held: readonly Told[] = [];
  let topics: readonly string[] = [];
  return {
    fetch: async ({ brokers, link, eligibleLeaders }) => {
      held = [];
      digestion.forget();
      const told = brokers.map(async ({ id, ...address }): Promise<Told | undefined> => {
        const bytes = await client.viewOf(address, link, { eligibleLeaders }).catch(() => undefined);
        return bytes && { broker: id, bytes };
      });
      held = (await Promise.all(told)).filter((one) => one !== undefined);
      return held.map(({ broker }) => ({ broker }));
    },
    take: async (told) => {
      held = told;
      return null;
    },
    digest: async ({ readAtMs }) => {
      const told = held;
      held = [];
      const { topics: named, ...digest } = digestion.digest(told, readAtMs);
      if (isSame(named, topics)) return digest;
      topics = named;
      return { ...digest, topics };
    },
    scan: async (terms) => {
      const scans = digestion.scan(terms);
      digestion.forget();
      return scans;
    },
  };
}

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((text, i) => text === b[i]);

/** Reading fills a core for a while each second; answers go first. Linux has a priority for each thread. */
function giveWay(): void {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), constants.priority.PRIORITY_LOW);
  } catch {
    // Not on Linux: the thread is as good as any other.
  }
}

function serve(): void {
  giveWay();
  const answers = handlers();
  const answer = async <C extends Call>({ call, asked }: { call: C; asked: Calls[C]['asked'] }) => {
    const handler: Handlers[C] = answers[call];
    let reply: Reply;
    try {
      reply = { value: await handler(asked) };
    } catch (error) {
      reply = { problem: error instanceof Error ? error.message : String(error) };
    }
    parentPort?.postMessage(reply);
  };
  parentPort?.on('message', (message: { call: Call; asked: never }) => void answer(message));
}

if (!isMainThread && (workerData as { digests?: boolean } | null)?.digests === true) serve();
