import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { publicKeySha256 } from '../../certs/index.ts';
import type { Pair } from './serving-certificate.ts';
import { type SidecarAddress, SidecarError } from './sidecar-error.ts';

export interface ConnectionLimits {
  /** A connection on which nothing is asked for so long is closed; a drain asks every 5 s. Shorter than the sidecar's own. */
  readonly idleMs: number;
  readonly connectMs: number;
  /** Kept idle, for each sidecar. */
  readonly kept: number;
}

const usual: ConnectionLimits = { idleMs: 60_000, connectMs: 2_000, kept: 4 };

/** A connection on which nothing is sent before the other side has shown the key that it is known by. */
async function connect(
  { host, port, servername, servingKey }: SidecarAddress,
  { certificatePem, privateKeyPem }: Pair,
  signal: AbortSignal,
): Promise<tls.TLSSocket> {
  const socket = tls.connect({
    host,
    port,
    servername,
    cert: certificatePem,
    key: privateKeyPem,
    minVersion: 'TLSv1.3',
    // Its authority never leaves its namespace. The handshake proves that it has the key of what it shows.
    rejectUnauthorized: false,
  });
  // Between its owners nobody else hears an error, and whoever owns it hears of its end.
  socket.on('error', () => undefined);
  try {
    await once(socket, 'secureConnect', { signal });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  const shown = socket.getPeerX509Certificate();
  if (shown && publicKeySha256(shown.toString()) === servingKey) return socket;
  socket.destroy();
  throw new SidecarError('sidecar-unknown');
}

/** Keeps connections to one sidecar, as it is known by one key, asked with one certificate. */
class PinnedAgent extends http.Agent {
  readonly #connect: () => Promise<tls.TLSSocket>;
  readonly #end = new AbortController();
  #retired = false;

  constructor(address: SidecarAddress, identity: Pair, { idleMs, connectMs, kept }: ConnectionLimits) {
    super({ keepAlive: true, timeout: idleMs, maxFreeSockets: kept });
    this.#connect = () =>
      connect(address, identity, AbortSignal.any([this.#end.signal, AbortSignal.timeout(connectMs)]));
  }

  override createConnection(
    _options: http.ClientRequestArgs,
    made?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    // With an error no socket is looked at.
    const failed = made as ((error: Error) => void) | undefined;
    this.#connect().then(
      (socket) => made?.(null, socket),
      (error: Error) => failed?.(error),
    );
    return undefined;
  }

  override keepSocketAlive(socket: Duplex): boolean {
    // Its types say that it returns nothing; its documentation, that false ends the socket.
    return !this.#retired && (super.keepSocketAlive(socket) as unknown as boolean);
  }

  /** Closes what is idle now, and the others with their answers. */
  retire(): void {
    this.#retired = true;
    for (const sockets of Object.values(this.freeSockets))
      for (const socket of sockets ?? []) socket.destroy();
  }

  /** Ends questions that are being asked, too. */
  override destroy(): void {
    this.#retired = true;
    this.#end.abort();
    super.destroy();
  }

  get isUnused(): boolean {
    return [this.sockets, this.freeSockets, this.requests].every((held) => Object.keys(held).length === 0);
  }
}

/**
 * Connections to sidecars, kept between questions: a handshake costs both sides more than a verdict. The key that a sidecar
 * shows is checked on each, and none outlives a change of that key, of the address, or of the webhook's own certificate.
 */
export class SidecarConnections {
  readonly #limits: ConnectionLimits;
  readonly #held = new Map<string, { readonly known: string; readonly agent: PinnedAgent }>();

  constructor(limits: Partial<ConnectionLimits> = {}) {
    this.#limits = { ...usual, ...limits };
  }

  agentFor(address: SidecarAddress, identity: Pair): http.Agent {
    const { host, port, servername, servingKey } = address;
    const own = createHash('sha256').update(identity.certificatePem).digest('hex');
    const known = [host, port, servingKey, own].join(' ');
    const before = this.#held.get(servername);
    if (before?.known === known) return before.agent;
    before?.agent.retire();
    for (const [name, { agent }] of this.#held) if (agent.isUnused) this.#held.delete(name);
    const agent = new PinnedAgent(address, identity, this.#limits);
    this.#held.set(servername, { known, agent });
    return agent;
  }

  /** What is connected to this sidecar may be dead: the next question goes over a new connection. */
  forget({ servername }: SidecarAddress): void {
    this.#held.get(servername)?.agent.retire();
    this.#held.delete(servername);
  }

  close(): void {
    for (const { agent } of this.#held.values()) agent.destroy();
    this.#held.clear();
  }
}
