import { StringDecoder } from 'node:string_decoder';
import type { WatchOptions } from './client.ts';
import { ApiError, UnreachableError } from './errors.ts';
import type { Transport } from './transport.ts';

export interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: T;
}

interface Status {
  code?: number;
  reason?: string;
  message?: string;
}

const headTimeoutMs = 15_000;

/** Cuts a stream into its lines; the last one counts only when it is complete. */
async function* linesOf(stream: AsyncIterable<Buffer>, heard: () => void) {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    heard();
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/**
 * The events of one watch request, until the server ends it (returns), or it breaks or stays silent for
 * `silenceMs` (throws `UnreachableError`). An ERROR event is thrown as `ApiError`: 410 means that the version is
 * gone and the list has to be read again.
 */
export async function* watchEvents<T>(
  wire: Transport,
  path: string,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>, void, void> {
  const { silenceMs, signal, ...selectors } = options;
  const query = { ...selectors, watch: true, allowWatchBookmarks: true };
  const stream = await wire.open({ method: 'GET', path, query, timeoutMs: headTimeoutMs, signal });
  const silence = setTimeout(() => stream.destroy(new Error(`silent for ${silenceMs} ms`)), silenceMs);
  try {
    const heard = () => void silence.refresh();
    for await (const line of linesOf(stream, heard)) if (line) yield eventOf<T>(line, path);
  } catch (error) {
    if (error instanceof ApiError || signal.aborted) throw error;
    throw new UnreachableError(path, error);
  } finally {
    clearTimeout(silence);
    stream.destroy();
  }
}

function eventOf<T>(line: string, path: string): WatchEvent<T> {
  const event = JSON.parse(line) as { type: string; object: unknown };
  if (event.type !== 'ERROR') return event as WatchEvent<T>;
  const { code = 500, reason = '', message = 'the watch failed' } = event.object as Status;
  throw new ApiError({ status: code, reason, message, path });
}
