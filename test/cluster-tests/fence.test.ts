import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { connect, isStatus, type Kube } from '../../src/kubernetes/client.ts';
import type { KubeObject } from '../../src/kubernetes/object.ts';
import { pathOf, paths } from '../../src/kubernetes/paths.ts';
import { sidecarObjects } from '../../src/webhook/sidecar-manifests.ts';
import { clusterUnavailable, images, startCluster, type Cluster } from '../cluster/index.ts';
import { enrolledNamespace, installWarden, wardenNamespace } from '../support/warden.ts';

interface Kubeconfig {
  users: { user: object }[];
}
type Json = Record<string, unknown>;
type Configuration = KubeObject & { webhooks: { rules: { resources: string[] }[]; clientConfig: Json }[] };

const configuration = paths.mutatingwebhookconfigurations('kafka-warden');

/** A client that has nothing but the webhook's own token. */
async function asWebhook(cluster: Cluster): Promise<Kube> {
  const token = await cluster.kubectl(['create', 'token', 'kafka-warden', '--namespace', wardenNamespace]);
  const config = parse(readFileSync(cluster.kubeconfig, 'utf8')) as Kubeconfig;
  config.users[0]!.user = { token: token.trim() };
  return connect({ kubeconfig: stringify(config) });
}

/** The four objects of a sidecar, as the webhook makes them. */
function objectsFor(namespace: string, image: string = images.warden) {
  const settings = {
    image,
    imagePullSecrets: [],
    logLevel: 'info',
    wardenNamespace,
    apiServerPorts: [443],
    webhookAuthorities: '-----BEGIN CERTIFICATE-----',
  };
  const place = { namespace, cluster: 'kafka', owners: [] };
  const [account, binding, policy, deployment] = sidecarObjects(place, settings);
  return { account: account!, binding: binding!, policy: policy!, deployment: deployment! };
}

/** A deep copy with the value at a path (of keys) replaced. */
function changed(object: KubeObject, path: readonly string[], value: unknown): KubeObject {
  const copy = structuredClone(object);
  let at = copy as unknown as Json;
  for (const key of path.slice(0, -1)) at = (at[key] ??= {}) as Json;
  at[path.at(-1) ?? ''] = value;
  return copy;
}

const refusedByFence = (error: unknown) =>
  (isStatus(error, 403, 422) && /kafka-warden-fence/.test(error.message)) || assert.fail(String(error));
const refusedByRights = (error: unknown) =>
  (isStatus(error, 403) && /cannot|attempting to grant/.test(error.message)) || assert.fail(String(error));

suite(
  'whoever holds the token of the webhook',
  { skip: clusterUnavailable() ?? false, timeout: 300_000 },
  () => {
    const enrolled = `fence-${randomUUID().slice(0, 8)}`;
    const stranger = `${enrolled}-not-enrolled`;
    let cluster: Cluster;
    let webhook: Kube;
    const dryRun = { dryRun: true } as const;
    const create = (object: KubeObject) =>
      webhook.create(pathOf(object).replace(/\/[^/]+$/, ''), object, dryRun);

    before(async () => {
      cluster = await startCluster();
      await installWarden(cluster);
      await enrolledNamespace(cluster, enrolled);
      await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: stranger } });
      webhook = await asWebhook(cluster);
    });
    after(async () => {
      await cluster.kubectl(['delete', 'namespace', enrolled, stranger, '--wait=false']);
      await cluster[Symbol.asyncDispose]();
    });

    test('can make the objects of a sidecar in an enrolled namespace', async () => {
      for (const object of Object.values(objectsFor(enrolled))) await create(object);
    });

    test('can write in no other namespace, not even its own', async () => {
      for (const namespace of [stranger, 'kube-system', wardenNamespace])
        for (const object of Object.values(objectsFor(namespace)))
          await assert.rejects(create(object), refusedByFence);
    });

    test('can write no object of another name', async () => {
      for (const object of Object.values(objectsFor(enrolled)))
        await assert.rejects(create(changed(object, ['metadata', 'name'], 'other')), refusedByFence);
    });

    test('can run no other image', async () => {
      await assert.rejects(create(objectsFor(enrolled, 'docker.io/evil/image:1').deployment), refusedByFence);
    });

    const container = ['spec', 'template', 'spec', 'containers', '0'];
    const pod = ['spec', 'template', 'spec'];
    const escapes: [string, string[], unknown][] = [
      ['another command', [...container, 'command'], ['sh', '-c', 'id']],
      ['other arguments', [...container, 'args'], ['webhook']],
      [
        'code in its environment',
        [...container, 'env'],
        [{ name: 'NODE_OPTIONS', value: '--import=data:,' }],
      ],
      [
        'a Secret in its environment',
        [...container, 'env'],
        [{ name: 'WARDEN_WEBHOOK_CA', valueFrom: { secretKeyRef: { name: 'any', key: 'any' } } }],
      ],
      ['a lifecycle hook', [...container, 'lifecycle'], { postStart: { exec: { command: ['id'] } } }],
      ['a probe that runs a command', [...container, 'livenessProbe'], { exec: { command: ['id'] } }],
      ['privileges', [...container, 'securityContext', 'privileged'], true],
      ['capabilities', [...container, 'securityContext', 'capabilities'], { add: ['SYS_ADMIN'] }],
      ['the account of another', [...pod, 'serviceAccountName'], 'default'],
      ['the network of its node', [...pod, 'hostNetwork'], true],
      ['the processes of its node', [...pod, 'hostPID'], true],
      ['files of its node', [...pod, 'volumes'], [{ name: 'host', hostPath: { path: '/' } }]],
      [
        'a Secret as a volume',
        [...pod, 'volumes'],
        [{ name: 'keys', secret: { secretName: 'kafka-kafka-keys' } }],
      ],
      [
        'a second container',
        [...pod, 'initContainers'],
        [{ name: 'init', image: images.warden, args: ['sidecar'] }],
      ],
    ];
    for (const [what, path, value] of escapes)
      test(`cannot give a sidecar ${what}`, async () => {
        const escaping = changed(objectsFor(enrolled).deployment, path, value);
        // The API server itself refuses some of these together with the default of another field.
        await assert.rejects(
          create(escaping),
          (error) => isStatus(error, 403, 422) || assert.fail(String(error)),
        );
      });

    test('can bind the role to no other subject', async () => {
      const { binding } = objectsFor(enrolled);
      const own = { kind: 'ServiceAccount', name: 'kafka-kafka-warden', namespace: enrolled };
      const subjects = [
        [{ kind: 'ServiceAccount', name: 'kafka-warden', namespace: wardenNamespace }],
        [{ ...own, name: 'default' }],
        [own, { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'mallory' }],
        [],
      ];
      for (const others of subjects)
        await assert.rejects(create(changed(binding, ['subjects'], others)), refusedByFence);
    });

    test('can bind no other role', async () => {
      const { binding } = objectsFor(enrolled);
      const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
      await assert.rejects(create(changed(binding, ['roleRef'], role)), refusedByRights);
    });

    test('can isolate no other pods by a network policy', async () => {
      await assert.rejects(
        create(changed(objectsFor(enrolled).policy, ['spec', 'podSelector'], {})),
        refusedByFence,
      );
    });

    test('can delete nothing but objects of sidecars', async () => {
      await assert.rejects(
        webhook.remove(paths.serviceaccounts(enrolled, 'default'), dryRun),
        refusedByFence,
      );
      await assert.rejects(
        webhook.remove(paths.deployments(wardenNamespace, 'kafka-warden'), dryRun),
        (error) => isStatus(error, 403, 422),
      );
    });

    test('can change caBundle in its webhook configurations, and nothing else', async () => {
      const present = await webhook.get<Configuration>(configuration);
      const patch = (path: string, value: unknown) =>
        webhook.patch(configuration, [{ op: 'add', path, value }], 'json', dryRun);
      await patch('/webhooks/0/clientConfig/caBundle', present.webhooks[0]!.clientConfig['caBundle']);
      const widened = { ...present.webhooks[0]!.rules[0], apiGroups: [''], resources: ['secrets'] };
      const forbidden: [string, unknown][] = [
        ['/webhooks/0/rules/-', widened],
        ['/webhooks/0/namespaceSelector', {}],
        ['/webhooks/0/objectSelector', {}],
        ['/webhooks/0/matchConditions', []],
        ['/webhooks/0/failurePolicy', 'Fail'],
        ['/webhooks/0/clientConfig', { url: 'https://evil.example/' }],
        ['/webhooks/0/clientConfig/service/namespace', enrolled],
        ['/webhooks/-', { ...present.webhooks[0]!, name: 'another.kafka-warden.io' }],
        ['/metadata/labels/more', 'yes'],
        [
          '/metadata/ownerReferences',
          [{ apiVersion: 'v1', kind: 'Node', name: 'absent', uid: randomUUID() }],
        ],
      ];
      for (const [path, value] of forbidden) await assert.rejects(patch(path, value), refusedByFence, path);
      await assert.rejects(webhook.remove(configuration, dryRun), refusedByRights);
    });

    test('can read no Secret but its own certificate, and asks for no tokens of others', async () => {
      await assert.rejects(webhook.list(paths.secrets(enrolled)), refusedByRights);
      await assert.rejects(webhook.list(paths.secrets(wardenNamespace)), refusedByRights);
      const token = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
      await assert.rejects(
        webhook.create(`${paths.serviceaccounts(enrolled, 'default')}/token`, token, dryRun),
        refusedByRights,
      );
    });
  },
);
