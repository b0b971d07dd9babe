import { once } from 'node:events';
import tls from 'node:tls';

export interface Load {
  port: number;
  path: string;
  ca: string;
  connections: number;
  /** Sent in turn, over all connections together. */
  bodies: readonly Buffer[];
  forMs: number;
}

export interface Measured {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

const head = (path: string, length: number): Buffer =>
  Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`,
  );

const headEnd = Buffer.from('\r\n\r\n');

/** True when the bytes hold a whole answer; throws for one that is no success, or allows nothing. */
function isWhole(answer: Buffer): boolean {
  const end = answer.indexOf(headEnd);
  if (end < 0) return false;
  const headers = answer.toString('latin1', 0, end);
  const length = Number(/content-length: (\d+)/i.exec(headers)?.[1] ?? -1);
  const body = answer.subarray(end + headEnd.length);
  const whole = length >= 0 ? body.length >= length : body.includes('\r\n0\r\n\r\n');
  if (whole && !(headers.startsWith('HTTP/1.1 200') && body.includes('"allowed":true')))
    throw new Error(`unexpected answer: ${answer.toString('utf8').slice(0, 600)}`);
  return whole;
}

/**
 * Sends reviews one after the other on each connection, as fast as they are answered. Prepared bytes over plain TLS
 * sockets: the load must cost less than what it measures.
 */
export async function drive({ port, path, ca, connections, bodies, forMs }: Load): Promise<Measured> {
  const requests = bodies.map((body) => Buffer.concat([head(path, body.length), body]));
  const latencies: number[] = [];
  let next = 0;
  const startedAt = performance.now();
  const one = async (): Promise<void> => {
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca });
    await once(socket, 'secureConnect');
    socket.setNoDelay(true);
    while (performance.now() - startedAt < forMs) {
      const sentAt = performance.now();
      socket.write(requests[next++ % requests.length] ?? Buffer.alloc(0));
      let answer = Buffer.alloc(0);
      while (!isWhole(answer)) {
        const [chunk] = (await once(socket, 'data')) as [Buffer];
        answer = Buffer.concat([answer, chunk]);
      }
      latencies.push(performance.now() - sentAt);
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: connections }, one));
  const elapsedMs = performance.now() - startedAt;
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? NaN;
  return { perSecond: (latencies.length * 1_000) / elapsedMs, p50Ms: at(0.5), p99Ms: at(0.99) };
}
