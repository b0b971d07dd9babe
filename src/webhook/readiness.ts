import tls from 'node:tls';
import type { Informer } from '../kubernetes/informer.ts';
import type { WebhookConfiguration } from './injection.ts';
import { serviceHost } from './settings.ts';

export interface ReadinessFacts {
  namespace: string;
  /** The port that reviews are answered on; undefined while it is not open. */
  port: () => number | undefined;
  synced(): boolean;
  draining(): boolean;
  configurations: readonly Informer<WebhookConfiguration>[];
}

const handshakeMs = 2_000;

/** Completes a TLS handshake as the API server does: the Service's name, and nothing trusted but this bundle. */
function handshake(port: number, servername: string, ca: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port, servername, ca, timeout: handshakeMs }, () => {
      socket.end();
      resolve();
    });
    socket.on('timeout', () => socket.destroy(new Error('no handshake in time')));
    socket.on('error', reject);
  });
}

/** Every bundle by which an API server may judge our certificate; an empty text where none was injected. */
const bundlesOf = (informers: readonly Informer<WebhookConfiguration>[]): Set<string> =>
  new Set(
    informers
      .flatMap((informer) => informer.list())
      .flatMap(({ webhooks = [] }) => webhooks)
      .map(({ clientConfig }) => Buffer.from(clientConfig.caBundle ?? '', 'base64').toString('utf8')),
  );

/**
 * Why this replica must not get reviews, or undefined when it may: it answers a handshake that verifies against what
 * both webhook configurations trust, which is what an API server is about to do.
 */
export async function unreadiness(facts: ReadinessFacts): Promise<string | undefined> {
  if (facts.draining()) return 'shutting down';
  if (!facts.synced()) return 'waiting for the first lists from the API server';
  const port = facts.port();
  if (port === undefined) return 'waiting for the serving certificate';
  if (facts.configurations.some((informer) => informer.list().length === 0))
    return 'a webhook configuration named kafka-warden is missing: install the chart again';
  for (const bundle of bundlesOf(facts.configurations)) {
    if (bundle === '') return 'waiting for the CA bundle in the webhook configurations';
    try {
      await handshake(port, serviceHost(facts.namespace), bundle);
    } catch (error) {
      return `a handshake with itself failed: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return undefined;
}
