import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import jsonpatch from 'jsonpatch';
import type { StatefulSet } from '../../hardening/model.ts';
import type { KubeObject } from '../../kubernetes/object.ts';
import { keys } from '../../names.ts';
import { clusterView } from '../cluster-view.ts';
import type { Review } from '../review.ts';
import { hardened, vanilla } from '../test/sets.ts';
import { trimStatefulSet, zoneLabel } from '../trimmed.ts';
import { mutateBinding } from './bindings-mutate.ts';

const nodes: Record<string, KubeObject> = {
  here: { metadata: { name: 'here', labels: { [zoneLabel]: 'zone-a' } } },
  there: { metadata: { name: 'there' } },
  blank: { metadata: { name: 'blank', labels: { [zoneLabel]: '' } } },
};

function viewOf(...sets: StatefulSet[]) {
  const known = sets.map(trimStatefulSet);
  return clusterView({
    statefulsets: {
      get: (namespace, name) =>
        known.find(({ metadata }) => metadata?.namespace === namespace && metadata?.name === name),
      list: () => known,
    },
    nodes: { get: (_namespace, name) => nodes[name] },
    clusters: { get: () => undefined },
  });
}

const review = (pod: string, node: string, more: Partial<Review> = {}): Review => ({
  uid: 'u',
  operation: 'CREATE',
  namespace: 'shop',
  name: pod,
  kind: 'Binding',
  dryRun: false,
  username: 'system:kube-scheduler',
  object: {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: pod, namespace: 'shop' },
    target: { kind: 'Node', name: node },
  },
  oldObject: undefined,
  ...more,
});

/** The rack that the pod gets; throws where it would be refused. */
function rackFrom(asked: Review, ...sets: StatefulSet[]): string | undefined {
  const answer = mutateBinding(asked, viewOf(...sets));
  assert.ok(answer.allowed);
  const operations = (answer.patch ?? []).map(({ rule: _rule, ...operation }) => operation);
  const bound = jsonpatch.apply_patch<KubeObject>(asked.object ?? {}, operations);
  return bound.metadata?.annotations?.[keys.rack];
}

test('a pod of a hardened set gets the zone of the node that it is bound to', () => {
  assert.equal(rackFrom(review('kafka-2', 'here'), hardened('kafka')), 'zone-a');
});

test('no pod gets a rack from a node without a zone, or from one that is not known', () => {
  for (const node of ['there', 'blank', 'never-seen'])
    assert.equal(rackFrom(review('kafka-2', node), hardened('kafka')), undefined);
});

test('pods of other workloads and of unhardened sets get none', () => {
  for (const pod of ['kafka-0', 'other-0', 'kafka-7d9f8-x2x', 'kafka', '0', '-1', ''])
    assert.equal(rackFrom(review(pod, 'here'), vanilla('kafka')), undefined, pod);
  assert.equal(rackFrom(review('kafka-0', 'here', { namespace: 'elsewhere' }), hardened('kafka')), undefined);
});

test('what a Binding or the template says of the rack already stays', () => {
  const annotations = { [keys.rack]: 'mine', other: 'x' };
  const object = { metadata: { name: 'kafka-0', annotations }, target: { kind: 'Node', name: 'here' } };
  assert.equal(rackFrom(review('kafka-0', 'here', { object }), hardened('kafka')), 'mine');
  const set = hardened('kafka');
  const template = { ...set.spec!.template, metadata: { annotations: { [keys.rack]: 'mine' } } };
  const pinned = { ...set, spec: { ...set.spec!, template } };
  assert.equal(rackFrom(review('kafka-0', 'here'), pinned), undefined);
});

test('other annotations of a Binding are kept', () => {
  const object = {
    metadata: { name: 'kafka-0', annotations: { scheduler: 'x' } },
    target: { kind: 'Node', name: 'here' },
  };
  const asked = review('kafka-0', 'here', { object });
  const answer = mutateBinding(asked, viewOf(hardened('kafka')));
  assert.ok(answer.allowed);
  assert.deepEqual(
    answer.patch?.map(({ path }) => path),
    ['/metadata/annotations/kafka-warden.io~1rack'],
  );
});

test('any Binding is let through', () => {
  const view = viewOf(hardened('kafka'));
  fc.assert(
    fc.property(fc.string(), fc.jsonValue(), fc.jsonValue(), (pod, metadata, target) => {
      for (const name of [pod, 'kafka-0'])
        assert.ok(mutateBinding(review(name, 'here', { object: { metadata, target } }), view).allowed);
    }),
  );
});
