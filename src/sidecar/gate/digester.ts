import type { Scan } from '../../gate/scan.ts';
import type { BrokerFacts, KafkaAdmin } from '../../kafka/index.ts';
import { type Digest, Digestion, type ScanTerms, type Told } from './digest.ts';
import { DigestThread, type DigestThreadOptions, buffersOf } from './digest-thread.ts';

export interface DigesterOptions extends DigestThreadOptions {
  /** Answers of so many bytes in all are read by the caller's thread: up to then handing them over takes as long. */
  readonly inlineBytes?: number;
}

/** Views come by these; without a link they are asked for by the caller's thread, however large. */
export type ViewKafka = Pick<KafkaAdmin, 'viewOf'> & Partial<Pick<KafkaAdmin, 'viewLink'>>;

export interface ViewsAsked {
  readonly brokers: readonly BrokerFacts[];
  readonly eligibleLeaders: boolean;
}

/** About 4,000 partitions in three views: some 5 ms. */
const inlineBytes = 512 * 1_024;

/**
 * Asks brokers for their views and digests them: of small clusters at once, of large ones in a thread of its own, so that
 * questions are answered meanwhile. Keeps the history of in-sync replicas. One call at a time, in the order fetch, digest, scan.
 */
export class Digester {
  readonly #inlineBytes: number;
  readonly #thread: DigestThread;
  readonly #digestion = new Digestion();
  #told: readonly Told[] = [];
  /** Once a cluster was large its reads stay in the thread: the history is there. */
  #large = false;

  constructor(options: DigesterOptions) {
    this.#inlineBytes = options.inlineBytes ?? inlineBytes;
    this.#thread = new DigestThread(options);
  }

  /** Returns the brokers that have answered. */
  async fetch(kafka: ViewKafka, asked: ViewsAsked): Promise<readonly number[]> {
    if (this.#large && kafka.viewLink !== undefined) {
      const link = await kafka.viewLink(asked.brokers.map(({ host }) => host));
      const brokers = asked.brokers.map(({ id, host, port }) => ({ id, host, port }));
      this.#told = [];
      const heard = await this.#thread.fetch({ ...asked, brokers, link });
      return heard.map(({ broker }) => broker);
    }
    const { eligibleLeaders } = asked;
    const told = asked.brokers.map(async (broker): Promise<Told | undefined> => {
      const bytes = await kafka.viewOf(broker, { eligibleLeaders }).catch(() => undefined);
      return bytes && { broker: broker.id, bytes };
    });
    this.#told = (await Promise.all(told)).filter((one) => one !== undefined);
    return this.#told.map(({ broker }) => broker);
  }

  /** `readAtMs`: when they were asked. Rejects where the thread is dead, or dies. */
  async digest(readAtMs: number): Promise<Digest> {
    const told = this.#told;
    this.#told = [];
    const sizeBytes = buffersOf(told).reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.#large ||= sizeBytes > this.#inlineBytes;
    if (!this.#large) return this.#digestion.digest(told, readAtMs);
    this.#digestion.forget();
    if (told.length > 0) await this.#thread.take(told);
    return this.#thread.digest(readAtMs);
  }

  /** Of every broker that the last digest names. */
  async scan(terms: ScanTerms): Promise<ReadonlyMap<number, Scan>> {
    return this.#large ? this.#thread.scan(terms) : this.#digestion.scan(terms);
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}
