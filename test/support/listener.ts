import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';

/** What a TLS listener made of a client. */
export type Reception = { accepted: true; serial: string } | { accepted: false; reason: string };

export interface TlsClient {
  ca: string;
  cert?: string;
  key?: string;
}

/** ApiVersions, version 0, no client id: the one request that every Kafka listener answers. */
function apiVersionsRequest(): Buffer {
  const request = Buffer.alloc(4 + 10);
  request.writeInt32BE(10, 0);
  request.writeInt16BE(18, 4);
  request.writeInt16BE(0, 6);
  request.writeInt32BE(1, 8);
  request.writeInt16BE(-1, 12);
  return request;
}

async function answer(socket: TLSSocket): Promise<Reception> {
  await once(socket, 'secureConnect');
  const serial = socket.getPeerCertificate().serialNumber;
  socket.write(apiVersionsRequest());
  const [data] = (await Promise.race([
    once(socket, 'data'),
    once(socket, 'close').then(() => [undefined]),
  ])) as [Buffer | undefined];
  return data === undefined
    ? { accepted: false, reason: 'the connection was closed' }
    : { accepted: true, serial };
}

/**
 * Connects to a listener at 127.0.0.1 under a broker's name, with or without a client certificate, and asks for its API versions.
 * With TLS 1.3 a certificate is refused only after the handshake, so only an answer proves that it was accepted.
 */
export async function knock(port: number, servername: string, client: TlsClient): Promise<Reception> {
  const socket = connect({ host: '127.0.0.1', port, servername, timeout: 10_000, ...client });
  socket.on('timeout', () => socket.destroy(new Error('no answer within 10 s')));
  try {
    return await answer(socket);
  } catch (error) {
    return { accepted: false, reason: (error as Error).message };
  } finally {
    socket.destroy();
  }
}
