/** The API server of the benchmark, in a process of its own: in memory, over TLS. */
import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { paths } from '../../src/kubernetes/paths.ts';
import { listenerOf, memoryApi } from '../../src/kubernetes/test/memory-api.ts';
import { brokerPod } from '../../src/sidecar/gate/test/surroundings.ts';

export interface ApiServerTask {
  readonly brokers: number;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

const [{ brokers, certificatePem: cert, privateKeyPem: key }] = (await once(process, 'message')) as [
  ApiServerTask,
];
const api = memoryApi();
for (let id = 0; id < brokers; id++) api.put(paths.pods('shop', `kafka-${id}`), brokerPod(id));
// As long as the real one keeps connections: for ever.
const server = https.createServer({ cert, key, keepAliveTimeout: 0 }, listenerOf(api)).listen(0);
await once(server, 'listening');
process.on('disconnect', () => process.exit());
process.send?.({ port: (server.address() as AddressInfo).port });
