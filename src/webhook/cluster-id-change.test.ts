import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layoutOf } from '../hardening/index.ts';
import type { StatefulSet } from '../hardening/model.ts';
import { changedClusterId } from './cluster-id-change.ts';
import { hardened, vanilla } from './test/sets.ts';

const kafka = hardened('kafka');
const own = layoutOf(kafka)?.clusterId ?? '';

function withId(set: StatefulSet, value: string): StatefulSet {
  const copy = structuredClone(set);
  const [container] = copy.spec?.template.spec?.containers ?? [];
  assert.ok(container);
  container.env = [
    ...(container.env ?? []).filter(({ name }) => name !== 'CLUSTER_ID'),
    { name: 'CLUSTER_ID', value },
  ];
  return copy;
}

test('a cluster does not get another id: its disks have the one that it has', () => {
  const why = changedClusterId(withId(kafka, 'AAAAAAAAAAAAAAAAAAAAAA'), kafka);
  assert.match(
    why ?? '',
    /^CLUSTER_ID asks for the cluster id A{22}, and the disks .* Remove the variable or set it to/,
  );
});

test('the same id, none, and one that stood there before are no change', () => {
  assert.equal(changedClusterId(kafka, kafka), undefined);
  assert.equal(changedClusterId(withId(kafka, own), kafka), undefined);
  const odd = withId(kafka, 'as-it-always-was');
  assert.equal(changedClusterId(odd, odd), undefined);
  assert.equal(changedClusterId(withId(vanilla('kafka'), 'x'), vanilla('kafka')), undefined);
});
