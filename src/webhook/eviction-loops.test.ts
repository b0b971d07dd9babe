import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '../kubernetes/informer.ts';
import { evictionLoops, isMeantToBeEmpty, loop } from './eviction-loops.ts';
import type { Node, Pod } from './trimmed.ts';

const evicted = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' };

function pod(uid: string, more: { node?: string; conditions?: object[]; ends?: boolean } = {}): Pod {
  const { node = 'n1', conditions = [evicted], ends = true } = more;
  return {
    metadata: { name: 'kafka-0', namespace: 'shop', uid, ...(ends ? { deletionTimestamp: 'now' } : {}) },
    spec: { nodeName: node },
    status: { phase: 'Running', conditions: conditions as (typeof evicted)[] },
  };
}

function watched(nodes: Record<string, Node> = { n1: {} }) {
  const clock = { ms: 0 };
  let listener: (change: Change<Pod>) => void = () => undefined;
  const loops = evictionLoops(
    {
      onChange: (given) => {
        listener = given;
        return () => undefined;
      },
    },
    (name) => nodes[name],
    () => clock.ms,
  );
  const see = (object: Pod) => listener({ type: 'modified', object, old: object });
  return { clock, loops, see, count: () => loops.recent('shop', 'kafka-0') };
}

test('each eviction counts once, however often its pod is seen to end', () => {
  const { see, count, loops } = watched();
  see(pod('a'));
  see(pod('a'));
  see(pod('b'));
  assert.equal(count(), 2);
  assert.equal(loops.recent('shop', 'kafka-1'), 0);
  assert.equal(loops.recent('other', 'kafka-0'), 0);
});

test('what was not evicted, or has not happened, does not count', () => {
  const { see, count } = watched();
  see(pod('a', { conditions: [] }));
  see(pod('b', { conditions: [{ ...evicted, reason: 'PreemptionByScheduler' }] }));
  see(pod('c', { conditions: [{ ...evicted, status: 'False' }] }));
  see(pod('d', { ends: false }));
  assert.equal(count(), 0);
});

test('emptying node after node is no loop', () => {
  const taints = [{ key: 'k', effect: 'NoExecute' }];
  const { see, count } = watched({ n1: { spec: { unschedulable: true } }, n2: { spec: { taints } } });
  see(pod('a', { node: 'n1' }));
  see(pod('b', { node: 'n2' }));
  see(pod('c', { node: 'not-known' }));
  assert.equal(count(), 0);
  assert.ok(!isMeantToBeEmpty({ spec: { taints: [] } }));
});

test('evictions are forgotten after ten minutes', () => {
  const { see, count, clock } = watched();
  see(pod('a'));
  clock.ms = loop.withinMs;
  see(pod('b'));
  assert.equal(count(), 2);
  clock.ms += 1;
  assert.equal(count(), 1);
});
