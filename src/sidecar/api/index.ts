import { type Authority, type Leaf, issueLeaf, publicKeySha256, renewAt } from '../../../certs/index.ts';
import { ensure } from '../../kubernetes/apply.ts';
import { keys, managedBy, objectsOf, sidecarLabels, sidecarPorts } from '../../names.ts';
import { type ClusterSet, ownedBy } from '../cluster-set.ts';
import type { Context, Report } from '../context.ts';
import type { NodesAuthority } from '../credentials/index.ts';
import type { Environment } from '../environment.ts';
import type { Decide } from './eviction.ts';
import { type QuestionServer, questionServer } from './server.ts';

const leafLifetimeMs = 90 * 24 * 3_600_000;
const subject = { commonName: 'kafka-warden-sidecar', organization: 'kafka-warden' };

/**
 * The Service by which the webhook finds the sidecar, and knows it: by the SHA-256 of the key that it serves with. Pods that
 * stop ask on the open port.
 */
export function questionsService(
  sets: readonly ClusterSet[],
  { namespace, cluster }: Pick<Context, 'namespace' | 'cluster'>,
  servingKey: string,
) {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: objectsOf(cluster).warden,
      namespace,
      labels: { ...sidecarLabels(cluster), ...managedBy },
      annotations: { [keys.servingKey]: servingKey },
      ownerReferences: ownedBy(sets),
    },
    spec: {
      type: 'ClusterIP',
      selector: sidecarLabels(cluster),
      ports: [
        { name: 'questions', port: sidecarPorts.questions, targetPort: 'questions', protocol: 'TCP' },
        { name: 'stops', port: sidecarPorts.health, targetPort: 'health', protocol: 'TCP' },
      ],
    },
  };
}

export interface QuestionsDuty {
  /** One pass: certificate, server, Service. */
  reconcile(): Promise<Report>;
  /** Ends with the lease: who no longer acts for the cluster answers for it no longer. */
  close(): Promise<void>;
}

/**
 * Answers the webhook's questions for as long as this process acts for the cluster. The serving certificate is issued by the
 * authority of the nodes, kept in memory only, and good for serving alone: with it nobody can be a client of a broker.
 */
export function answerQuestions(
  context: Context,
  nodes: NodesAuthority,
  { decide, questions }: { decide: Decide; questions: NonNullable<Environment['questions']> },
): QuestionsDuty {
  const { namespace, cluster, kube, log } = context;
  let held: { leaf: Leaf; authority: Authority } | undefined;
  let server: QuestionServer | undefined;
  let closed = false;

  function isCurrent(authority: Authority): boolean {
    return held?.authority.certificatePem === authority.certificatePem && context.now() < renewAt(held.leaf);
  }

  async function serve(leaf: Leaf): Promise<void> {
    const identity = { certificatePem: leaf.chainPem, privateKeyPem: leaf.privateKeyPem };
    if (server) return server.present(identity);
    const begun = questionServer({ decide, clientAuthorities: questions.clientAuthorities, log }, identity);
    const port = await begun.listen(questions.port);
    server = begun;
    // The term may have ended while the port was being opened.
    if (closed) await begun.close();
    else log.info({ event: 'questions-answered', port }, "the webhook's questions are answered");
  }

  return {
    async reconcile() {
      const { sets } = context.world();
      const authority = nodes.current;
      if (closed || authority === undefined || sets.length === 0) return { conditions: [] };
      if (held === undefined || !isCurrent(authority)) {
        const host = `${objectsOf(cluster).warden}.${namespace}.svc`;
        const leaf = issueLeaf(authority, {
          subject,
          dnsNames: [host, `${host}.cluster.local`],
          usages: ['server'],
          now: context.now(),
          lifetimeMs: leafLifetimeMs,
        });
        await serve(leaf);
        held = { leaf, authority };
      }
      if (closed) return { conditions: [] };
      await ensure(kube, questionsService(sets, context, publicKeySha256(held.leaf.certificatePem)));
      return { conditions: [] };
    },
    async close() {
      closed = true;
      await server?.close();
    },
  };
}
