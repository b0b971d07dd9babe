import { issueLeaf, loadAuthority, nodeSubject } from '../../certs/index.ts';
import type { Cluster } from '../cluster/index.ts';
import type { TlsClient } from './listener.ts';

async function secret(cluster: Cluster, namespace: string, name: string): Promise<Record<string, string>> {
  const { data } = JSON.parse(
    await cluster.kubectl(['-n', namespace, 'get', 'secret', name, '-o', 'json']),
  ) as { data: Record<string, string> };
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  );
}

/** A leaf with the nodes' own DN, from the authority in a Secret: what an attacker who has that authority could make. */
async function leafOf(cluster: Cluster, namespace: string, name: string): Promise<Required<TlsClient>> {
  const { 'tls.crt': certificatePem = '', 'tls.key': privateKeyPem = '' } = await secret(
    cluster,
    namespace,
    name,
  );
  const authority = loadAuthority({ certificatePem, privateKeyPem });
  const leaf = issueLeaf(authority, {
    subject: nodeSubject,
    usages: ['client'],
    now: new Date(),
    lifetimeMs: 3_600_000,
  });
  return { ca: certificatePem, cert: leaf.chainPem, key: leaf.privateKeyPem };
}

/** A client certificate of the clients' authority that claims to be a node. */
export const clientsAuthorityLeaf = (cluster: Cluster, namespace: string, kafka: string) =>
  leafOf(cluster, namespace, `${kafka}-kafka-clients-authority`);

/** A client certificate of the nodes' own authority. */
export const nodesAuthorityLeaf = (cluster: Cluster, namespace: string, kafka: string) =>
  leafOf(cluster, namespace, `${kafka}-kafka-authority`);
