import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ensure } from '../../src/kubernetes/apply.ts';
import { connect, isStatus, type Kube } from '../../src/kubernetes/client.ts';
import { recordEvent } from '../../src/kubernetes/events.ts';
import { informer, type Change, type Informer } from '../../src/kubernetes/informer.ts';
import { holdLease } from '../../src/kubernetes/lease.ts';
import { take } from '../../src/gate/record.ts';
import { changeRecord, readRecord } from '../../src/sidecar/disruption/index.ts';
import type { World } from '../../src/sidecar/world.ts';
import type { KubeObject, Log } from '../../src/kubernetes/object.ts';
import { paths } from '../../src/kubernetes/paths.ts';
import { parse, stringify } from 'yaml';
import { clusterUnavailable, startCluster, type Cluster } from '../cluster/index.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
type ConfigMap = KubeObject & { data?: Record<string, string>; immutable?: boolean };
interface Kubeconfig {
  clusters: { cluster: { server: string } }[];
}
type Lease = KubeObject & { spec: { holderIdentity: string; leaseTransitions: number } };

const configMap = (namespace: string, name: string, data: Record<string, string>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});

/** Resolves with the first change for which `wanted` is true. */
function changed<T>(from: Informer<T>, wanted: (change: Change<T>) => boolean): Promise<Change<T>> {
  return new Promise((resolve) => {
    const stop = from.onChange((change) => {
      if (!wanted(change)) return;
      stop();
      resolve(change);
    });
  });
}

/** Forwards bytes to the API server; can swallow them in both directions, as a broken network does. */
async function flakyProxy(target: URL) {
  const sockets = new Set<net.Socket>();
  let swallowing = false;
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => void (swallowing || to.write(chunk)));
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    swallow: (on: boolean) => void (swallowing = on),
    cut: () => sockets.forEach((socket) => socket.destroy()),
    close: () => {
      sockets.forEach((socket) => socket.destroy());
      server.close();
    },
  };
}

suite(
  'the Kubernetes client on a real API server',
  { skip: clusterUnavailable() ?? false, timeout: 60_000 },
  () => {
    const namespace = `client-${randomUUID().slice(0, 8)}`;
    const end = new AbortController();
    let cluster: Cluster;
    let kube: Kube;

    before(async () => {
      cluster = await startCluster();
      kube = await connect({ kubeconfig: cluster.kubeconfig });
      await kube.create(paths.namespaces(), { metadata: { name: namespace } });
    });
    after(async () => {
      end.abort();
      await kube.remove(paths.namespaces(namespace));
      await cluster[Symbol.asyncDispose]();
    });

    test('lists over several pages give every object its kind', async () => {
      for (const name of ['a', 'b'])
        await kube.create(paths.configmaps(namespace), configMap(namespace, name, {}));
      const items = await kube.list<ConfigMap>(paths.configmaps(namespace), {
        fieldSelector: 'metadata.name=b',
      });
      assert.deepEqual(
        items.map(({ kind, apiVersion, metadata }) => [kind, apiVersion, metadata?.name]),
        [['ConfigMap', 'v1', 'b']],
      );
    });

    test('a refusal carries status, reason and path; an absent object is undefined or no error', async () => {
      await assert.rejects(kube.get(paths.configmaps(namespace, 'absent')), (error) => {
        assert.ok(isStatus(error, 404));
        assert.equal(error.reason, 'NotFound');
        assert.equal(error.path, paths.configmaps(namespace, 'absent'));
        return true;
      });
      assert.equal(await kube.tryGet(paths.configmaps(namespace, 'absent')), undefined);
      await kube.remove(paths.configmaps(namespace, 'absent'));
    });

    test('a removal under the wrong UID is refused', async () => {
      await kube.create(paths.configmaps(namespace), configMap(namespace, 'kept', {}));
      const removal = kube.remove(paths.configmaps(namespace, 'kept'), {
        preconditions: { uid: randomUUID() },
      });
      await assert.rejects(removal, (error) => isStatus(error, 409));
    });

    test('ensure creates, leaves alone what is as wanted, and takes back what is no longer wanted', async () => {
      const full = configMap(namespace, 'ensured', { one: '1', two: '2' });
      assert.equal((await ensure(kube, full)).result, 'created');
      const calm = await ensure(kube, full);
      assert.equal(calm.result, 'unchanged');
      await kube.patch(
        paths.configmaps(namespace, 'ensured'),
        { data: { one: 'edited', theirs: 'x' } },
        'merge',
      );
      const repaired = await ensure(kube, full);
      assert.equal(repaired.result, 'changed');
      assert.deepEqual(repaired.object.data, { one: '1', two: '2', theirs: 'x' });
      const less = await ensure(kube, configMap(namespace, 'ensured', { one: '1' }));
      assert.equal(less.result, 'changed');
      assert.deepEqual(less.object.data, { one: '1', theirs: 'x' });
    });

    test('an identical event is written once', async () => {
      const regarding = await kube.get<ConfigMap>(paths.configmaps(namespace, 'kept'));
      const details = {
        regarding,
        type: 'Normal',
        reason: 'Tested',
        message: 'once',
        action: 'Test',
        reporter: 'webhook',
      } as const;
      assert.equal(await recordEvent(kube, details), 'recorded');
      assert.equal(await recordEvent(kube, details), 'repeated');
      const events = await kube.list<KubeObject & { reason: string }>(paths.events(namespace));
      assert.equal(events.filter(({ reason }) => reason === 'Tested').length, 1);
    });

    test('an informer tells what is added, modified and deleted, and holds the newest form', async () => {
      const watched = informer<ConfigMap>(kube, { path: paths.configmaps(namespace), log: silent });
      watched.start(end.signal);
      await watched.synced;
      const added = changed(watched, ({ object }) => object.metadata?.name === 'live');
      await kube.create(paths.configmaps(namespace), configMap(namespace, 'live', { at: '1' }));
      assert.equal((await added).type, 'added');
      const modified = changed(watched, ({ type }) => type === 'modified');
      await kube.patch(paths.configmaps(namespace, 'live'), { data: { at: '2' } }, 'merge');
      await modified;
      assert.deepEqual(watched.get(namespace, 'live')?.data, { at: '2' });
      assert.ok(watched.ageMs() < 5_000);
      const deleted = changed(watched, ({ type }) => type === 'deleted');
      await kube.remove(paths.configmaps(namespace, 'live'));
      await deleted;
      assert.equal(watched.get(namespace, 'live'), undefined);
    });

    test('an informer sees changes made while its connection was cut, or silently dead', async () => {
      const config = parse(readFileSync(cluster.kubeconfig, 'utf8')) as Kubeconfig;
      const target = new URL(config.clusters[0]!.cluster.server);
      const proxy = await flakyProxy(target);
      Object.assign(config.clusters[0]!.cluster, { server: proxy.url, 'tls-server-name': 'kubernetes' });
      const redirected = stringify(config);
      const wobbly = await connect({ kubeconfig: redirected });
      const watched = informer<ConfigMap>(wobbly, {
        path: paths.configmaps(namespace),
        log: silent,
        silenceMs: 1_500,
      });
      watched.start(end.signal);
      await watched.synced;
      const afterCut = changed(watched, ({ object }) => object.metadata?.name === 'after-cut');
      proxy.cut();
      await kube.create(paths.configmaps(namespace), configMap(namespace, 'after-cut', {}));
      await afterCut;
      const afterSilence = changed(watched, ({ object }) => object.metadata?.name === 'after-silence');
      proxy.swallow(true);
      await kube.create(paths.configmaps(namespace), configMap(namespace, 'after-silence', {}));
      await delay(2_000);
      proxy.swallow(false);
      proxy.cut();
      await afterSilence;
      proxy.close();
    });

    test('of many that take the disruption record at once, one has it', async () => {
      const world = () => ({ sets: [] }) as unknown as World;
      const place = { kube, namespace, cluster: 'race', world };
      const taken = await Promise.allSettled(
        Array.from({ length: 12 }, (_, i) =>
          changeRecord(place, (record) => take(record, { id: `r${i}`, by: `s${i}` }, { kind: 'roll' }, i)),
        ),
      );
      const won = taken.filter((one) => one.status === 'fulfilled' && one.value.ok);
      assert.equal(won.length, 1);
      const { known } = await readRecord(place);
      assert.ok(known.known && known.record.holder?.state === 'held');
    });

    test('one candidate leads; when it ends, another takes over, and never two at once', async () => {
      const leading = new Set<string>();
      const started: string[] = [];
      const terms = new EventEmitter();
      let both = false;
      const candidate = (identity: string, signal: AbortSignal) =>
        holdLease(kube, {
          namespace,
          name: 'election',
          identity,
          durationMs: 3_000,
          renewMs: 500,
          log: silent,
          signal,
          lead: async (term) => {
            leading.add(identity);
            started.push(identity);
            both ||= leading.size > 1;
            terms.emit(identity);
            await new Promise<void>((resolve) => term.addEventListener('abort', () => resolve()));
            leading.delete(identity);
          },
        });
      const [one, two] = [new AbortController(), new AbortController()];
      const firstLeads = once(terms, 'one');
      const first = candidate('one', one.signal);
      await firstLeads;
      const secondLeads = once(terms, 'two');
      const second = candidate('two', two.signal);
      one.abort();
      await first;
      await secondLeads;
      // A thief: the holder must notice and stop.
      const stolen = await kube.get<Lease>(paths.leases(namespace, 'election'));
      await kube.replace(paths.leases(namespace, 'election'), {
        ...stolen,
        spec: { ...stolen.spec, holderIdentity: 'thief', renewTime: undefined },
      });
      const regained = once(terms, 'two');
      while (leading.size > 0) await delay(50);
      await regained;
      two.abort();
      await second;
      assert.deepEqual(started, ['one', 'two', 'two']);
      assert.equal(both, false);
    });
  },
);
