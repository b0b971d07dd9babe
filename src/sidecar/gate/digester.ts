import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { type Digest, type Undigested, digest } from './digest.ts';

export interface DigesterOptions {
  readonly log: { warn(fields: object, message: string): void };
  /** Answers of so many bytes in all are read by the caller's thread: up to then handing them over takes as long. */
  readonly inlineBytes?: number;
  /** A thread that takes longer is ended, and counts as dead. */
  readonly patienceMs?: number;
  readonly pauseMs?: { readonly first: number; readonly longest: number };
}

/** About 4,000 partitions in three views: some 5 ms. */
const inlineBytes = 512 * 1_024;
const patienceMs = 10_000;
const pauseMs = { first: 1_000, longest: 30_000 };
/** Of the thread's own objects; arrays of the partitions come on top. */
const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 };

type Reply = { readonly digest: Digest } | { readonly problem: string };

interface Asked {
  readonly worker: Worker;
  readonly fail: (error: Error) => void;
}

/**
 * Digests reads of Kafka: small ones at once, large ones in a thread of its own, so that questions are answered meanwhile.
 * The thread keeps nothing from one read to the next. Where it dies the read fails, evidence grows too old and the answer
 * is no; it is started again after a pause that grows.
 */
export class Digester {
  readonly #options: DigesterOptions;
  #worker: Worker | undefined;
  #asked: Asked | undefined;
  #failures = 0;
  #notBeforeMs = -Infinity;
  #closed = false;

  constructor(options: DigesterOptions) {
    this.#options = options;
  }

  /** One at a time. Rejects where the thread is dead, or dies. */
  async digest(read: Undigested): Promise<Digest> {
    const sizeBytes = buffersOf(read.views).reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (sizeBytes <= (this.#options.inlineBytes ?? inlineBytes)) return digest(read);
    const worker = this.#started();
    const timeoutMs = this.#options.patienceMs ?? patienceMs;
    let timer: NodeJS.Timeout | undefined;
    try {
      const reply = await new Promise<Reply>((resolve, reject) => {
        this.#asked = { worker, fail: reject };
        timer = setTimeout(() => this.#lost(worker, `took more than ${timeoutMs} ms`), timeoutMs);
        worker.once('message', resolve);
        worker.postMessage(read, buffersOf(read.views));
      });
      if ('problem' in reply)
        throw new Error(`The answers of the brokers could not be read: ${reply.problem}`);
      this.#failures = 0;
      return reply.digest;
    } finally {
      clearTimeout(timer);
      this.#asked = undefined;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#asked?.fail(new Error('the thread that reads the brokers’ answers was ended'));
    await worker?.terminate();
  }

  #started(): Worker {
    if (this.#closed) throw new Error('Nothing more is read');
    if (this.#worker !== undefined) return this.#worker;
    const leftMs = this.#notBeforeMs - performance.now();
    if (leftMs > 0)
      throw new Error(
        `The thread that reads the brokers’ answers has died and is started again in ${Math.ceil(leftMs / 1_000)} s`,
      );
    const worker = new Worker(new URL(import.meta.url), { workerData: { digester: true }, resourceLimits });
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

/** The memory of answers, which changes hands. */
const buffersOf = (views: Undigested['views']): ArrayBuffer[] =>
  views
    .flatMap(({ bytes }) => [bytes.metadata, ...(bytes.pages ?? [])])
    .map(({ buffer }) => buffer as ArrayBuffer);

/** The memory of a digest; the history's table is one of the views', and its arrays may be the caller's. */
function arraysOf({ views, history, joined, agreed, sinceMs, rowsOf }: Digest): ArrayBuffer[] {
  const tables = [
    ...views.flatMap((view) => (view === undefined ? [] : [view.partitions])),
    ...(history === undefined ? [] : [history.table]),
  ];
  const arrays = [
    ...tables.flatMap(({ topicFirst, partition, leader, replicas, isr, elr }) => [
      ...[topicFirst, partition, leader, replicas.first, replicas.items, isr.first, isr.items],
      ...(elr === undefined ? [] : [elr.first, elr.items]),
    ]),
    ...(history === undefined ? [] : [history.sinceMs]),
    ...[joined.topicOf, joined.partition, ...joined.rows, agreed, sinceMs, ...rowsOf.values()],
  ];
  return [...new Set(arrays.map(({ buffer }) => buffer as ArrayBuffer))];
}

function serve(): void {
  parentPort?.on('message', (read: Undigested) => {
    let reply: Reply;
    try {
      reply = { digest: digest(read) };
    } catch (error) {
      reply = { problem: error instanceof Error ? error.message : String(error) };
    }
    parentPort?.postMessage(reply, 'digest' in reply ? arraysOf(reply.digest) : []);
  });
}

if (!isMainThread && (workerData as { digester?: boolean } | null)?.digester === true) serve();
