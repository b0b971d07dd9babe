import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hardenService } from '../hardening/index.ts';
import type { Service, StatefulSet } from '../hardening/model.ts';
import type { Kube } from '../kubernetes/client.ts';
import type { Log } from '../kubernetes/object.ts';
import { paths } from '../kubernetes/paths.ts';
import { keys } from '../names.ts';
import { mutateService } from './handlers/services-mutate.ts';
import { mutateStatefulSet } from './handlers/statefulsets-mutate.ts';
import { neighboursOver, type Neighbours } from './neighbours.ts';
import { judgeWith } from './outcomes.ts';
import type { JsonObject, Review } from './review.ts';
import { hardened, vanilla } from './test/sets.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** An API server with these objects in the namespace `shop`. */
const apiServer = (services: readonly Service[], sets: readonly StatefulSet[]) =>
  ({
    tryGet: (path: string) =>
      Promise.resolve(services.find(({ metadata }) => paths.services('shop', metadata?.name) === path)),
    list: () => Promise.resolve([...sets]),
  }) as unknown as Pick<Kube, 'tryGet' | 'list'>;

const known = (services: readonly Service[], sets: readonly StatefulSet[] = []): Neighbours =>
  neighboursOver(apiServer(services, sets), silent);

const service: Service = {
  metadata: { name: 'kafka', resourceVersion: '7' },
  spec: { clusterIP: '10.0.0.7', selector: { app: 'kafka' }, ports: [{ port: 9092 }] },
};

const review = (object: unknown, more: Partial<Review> = {}): Review => ({
  uid: 'u',
  operation: 'CREATE',
  namespace: 'shop',
  name: 'kafka',
  kind: 'StatefulSet',
  dryRun: false,
  username: 'alice',
  object: object as JsonObject,
  oldObject: undefined,
  ...more,
});

async function serviceNameOf(neighbours: Neighbours, judge = judgeWith('harden')): Promise<unknown> {
  const answer = await mutateStatefulSet(review(vanilla('kafka')), judge, neighbours);
  assert.ok(answer.allowed);
  return answer.patch?.find(({ path }) => path === '/spec/serviceName')?.value ?? 'kafka';
}

test('a new set gets a Service of its own where the one that it names has an address', async () => {
  assert.equal(await serviceNameOf(known([service])), 'kafka-nodes');
  assert.equal(await serviceNameOf(known([{ ...service, spec: { clusterIP: 'None' } }])), 'kafka');
  assert.equal(await serviceNameOf(known([])), 'kafka');
});

test('what was answered beside other Services is not answered again', async () => {
  const judge = judgeWith('harden');
  assert.equal(await serviceNameOf(known([]), judge), 'kafka');
  assert.equal(await serviceNameOf(known([service]), judge), 'kafka-nodes');
  assert.equal(await serviceNameOf(known([]), judge), 'kafka');
});

test('what cannot be read holds nothing up', async () => {
  const refused = () => Promise.reject(new Error('refused'));
  const broken = neighboursOver({ tryGet: refused, list: refused }, silent);
  assert.equal(await serviceNameOf(broken), 'kafka');
  assert.deepEqual(await broken.around(vanilla('kafka'), 'shop'), {
    services: undefined,
    siblings: undefined,
  });
});

test('the neighbours of what is no Kafka are not asked for', async () => {
  const asked = () => assert.fail('the API server was asked');
  const neighbours = neighboursOver({ tryGet: asked, list: asked }, silent);
  const set = vanilla('db');
  const template = { metadata: {}, spec: { containers: [{ name: 'db', image: 'postgres:17' }] } };
  const database = { ...set, spec: { ...set.spec!, template } };
  assert.deepEqual(await neighbours.around(database, 'shop'), {});
});

test('a new set whose node ids another one of its cluster has is refused, with an offset that is free', async () => {
  const joining = vanilla('more');
  joining.metadata = { ...joining.metadata, labels: { [keys.cluster]: 'kafka' } };
  const judge = judgeWith('harden');
  const beside = (...sets: StatefulSet[]) =>
    mutateStatefulSet(review(joining, { name: 'more' }), judge, known([], sets));
  assert.equal((await beside()).allowed, true);
  const answer = await beside(hardened('kafka'));
  assert.ok(!answer.allowed);
  assert.match(answer.message, /node ids 0 to 2.*id-offset: "100"/s);
});

test('a new Service is headless where it governs a set that no watch has told of yet', async () => {
  const asked: Service = { ...service, spec: { ...service.spec, clusterIP: '' } };
  const set = hardened('kafka');
  const view = { setsOf: () => [] };
  const create = review(asked, { kind: 'Service' });
  const answer = await mutateService(create, view, known([], [set]));
  assert.ok(answer.allowed);
  assert.deepEqual(answer.patch, hardenService(asked, { sets: [set], isNew: true }).patch);
  assert.match(answer.warnings?.[0] ?? '', /\[service\] fixed: .* clusterIP: None/);
  const update = review(service, { kind: 'Service', operation: 'UPDATE' });
  const unchanged = await mutateService(update, { setsOf: () => [set] }, known([], [set]));
  assert.deepEqual(unchanged.allowed && unchanged.patch, []);
});
