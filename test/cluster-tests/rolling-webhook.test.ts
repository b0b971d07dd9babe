import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { connect, type Kube } from '../../src/kubernetes/client.ts';
import { paths } from '../../src/kubernetes/paths.ts';
import { keys } from '../../src/names.ts';
import { clusterUnavailable, startCluster, type Cluster } from '../cluster/index.ts';
import { enrolledNamespace, installWarden, wardenNamespace } from '../support/warden.ts';

interface Reviewed {
  metadata: { annotations?: Record<string, string> };
}

const vanilla = (name: string) => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name },
  spec: {
    serviceName: name,
    replicas: 3,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [{ name: 'kafka', image: 'apache/kafka:4.1.0', ports: [{ containerPort: 9092 }] }],
      },
    },
  },
});

const reviewers = 4;

suite('a rolling restart of the webhook', { skip: clusterUnavailable() ?? false, timeout: 300_000 }, () => {
  const namespace = `rolling-${randomUUID().slice(0, 8)}`;
  let cluster: Cluster;
  let kube: Kube;

  before(async () => {
    cluster = await startCluster();
    await installWarden(cluster);
    await enrolledNamespace(cluster, namespace);
    kube = await connect({ kubeconfig: cluster.kubeconfig });
  });
  after(async () => {
    await cluster.kubectl(['delete', 'namespace', namespace, '--wait=false']);
    await cluster[Symbol.asyncDispose]();
  });

  test('fails no review', async (t) => {
    let restarted = false;
    const refused: string[] = [];
    let reviews = 0;
    let unhardened = 0;
    /** Creates sets that are never stored, one after the other: each is mutated and validated by the webhook. */
    const review = async (reviewer: number) => {
      while (!restarted) {
        const body = vanilla(`kafka-${reviewer}-${reviews++}`);
        try {
          const made = await kube.create<Reviewed>(paths.statefulsets(namespace), body, { dryRun: true });
          // The mutator's failurePolicy is Ignore: a failed call would show here, or as the validator's refusal.
          if (!made.metadata.annotations?.[keys.layout]) unhardened += 1;
        } catch (error) {
          refused.push(error instanceof Error ? error.message : String(error));
        }
      }
    };
    const reviewing = Array.from({ length: reviewers }, (_, reviewer) => review(reviewer));
    const deployment = ['deployment/kafka-warden', '--namespace', wardenNamespace];
    await cluster.kubectl(['rollout', 'restart', ...deployment]);
    await cluster.kubectl(['rollout', 'status', ...deployment, '--timeout=120s']);
    // The old replicas go on draining after that; their last reviews count too.
    const replicas = ['--selector=app.kubernetes.io/component=webhook', '--namespace', wardenNamespace];
    for (;;) {
      const pods = await cluster.kubectl(['get', 'pods', ...replicas, '--output=name']);
      if (pods.trim().split('\n').length <= 2) break;
    }
    restarted = true;
    await Promise.all(reviewing);
    t.diagnostic(`${reviews} creations reviewed twice each`);
    assert.deepEqual(refused, []);
    assert.equal(unhardened, 0);
    assert.ok(reviews > 100, `only ${reviews} creations were reviewed`);
  });
});
