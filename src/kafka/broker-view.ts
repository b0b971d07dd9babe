import { type API, type Reader, Writer, createAPI } from '@platformatic/kafka';
import type { Ask } from './ask.ts';
import type { Address } from './connections.ts';
import { type ApiVersions, apiVersions, supported } from './versions.ts';
import { type ViewBytes, nextPage } from './view-columns.ts';

export interface ViewOptions {
  /** Asks for eligible leader replicas too, by DescribeTopicPartitions (Kafka 3.7) in pages. */
  readonly eligibleLeaders?: boolean;
}

/** All topics, or none: brokers alone. */
type Metadata = API<[topics: 'all' | 'none'], Uint8Array<ArrayBuffer>>;

/** Metadata versions 12 (Kafka 3.1) and 11; the library's own refuse an answer in which a partition has no leader. */
const metadata: Metadata[] = [12, 11].map((version) =>
  createAPI<[topics: 'all' | 'none'], Uint8Array<ArrayBuffer>>(
    3,
    version,
    (topics: 'all' | 'none') =>
      Writer.create()
        .appendArray(topics === 'all' ? null : [], () => undefined)
        .appendBoolean(false)
        .appendBoolean(false)
        .appendTaggedFields(),
    (_correlationId, _key, _version, reader) => bodyOf(reader),
  ),
);

/** A copy of its own, in one piece: it may be handed to another thread, and the client's buffer is used again. */
function bodyOf({ buffer, position }: Reader): Uint8Array<ArrayBuffer> {
  const rest = buffer.subarray(position);
  const body = new Uint8Array(rest.length);
  let at = 0;
  for (const piece of rest.buffers) {
    body.set(piece, at);
    at += piece.length;
  }
  return body;
}

const partitionsPerPage = 2_000;

/** DescribeTopicPartitions version 0 (KIP-966); the library's own refuses an answer in which a partition has no leader. */
const describeTopicPartitions = createAPI<[from: ReturnType<typeof nextPage>], Uint8Array<ArrayBuffer>>(
  75,
  0,
  (from: ReturnType<typeof nextPage>) => {
    const writer = Writer.create()
      .appendArray([], () => undefined)
      .appendInt32(partitionsPerPage);
    if (from === undefined) writer.appendInt8(-1);
    else writer.appendInt8(1).appendString(from.topic).appendInt32(from.partition).appendTaggedFields();
    return writer.appendTaggedFields();
  },
  (_correlationId, _key, _version, reader) => bodyOf(reader),
);

/** What the broker at an address supports. */
const versionsAt = (ask: Ask, address: Address): Promise<ApiVersions> =>
  apiVersions({ any: (api, ...args) => ask.at(address, api, ...args) });

/**
 * Asks one given broker, and no other, what its metadata cache shows. With eligible leaders it takes several calls: a
 * change between two of them shows as a disagreement with another view. The answers are not read here: of a large cluster
 * they are megabytes.
 */
export async function viewOf(ask: Ask, address: Address, options: ViewOptions = {}): Promise<ViewBytes> {
  const call = supported(await versionsAt(ask, address), metadata);
  if (options.eligibleLeaders !== true) return { metadata: await ask.at(address, call, 'all') };
  const pages: Uint8Array[] = [];
  let from: ReturnType<typeof nextPage>;
  do {
    const page = await ask.at(address, describeTopicPartitions, from);
    pages.push(page);
    from = nextPage(page);
  } while (from !== undefined);
  // Brokers last: one that has been fenced meanwhile is told as such.
  return { metadata: await ask.at(address, call, 'none'), pages };
}

/** Whether the broker at an address answers ApiVersions, the least that it can be asked. */
export async function ping(ask: Ask, address: Address): Promise<void> {
  await versionsAt(ask, address);
}
