import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { keys } from '../../names.ts';
import type { EvictionAnswer, EvictionQuestion } from '../../sidecar/api/eviction.ts';
import type { EvictionGate } from '../eviction-gate.ts';
import { loop } from '../eviction-loops.ts';
import type { Review } from '../review.ts';
import { SidecarError } from '../sidecar-client.ts';
import type { Node, Pod } from '../trimmed.ts';
import { validateEviction } from './evictions-validate.ts';

const kafka1: Pod = {
  metadata: { name: 'kafka-1', namespace: 'shop', uid: 'uid-1', labels: { [keys.node]: 'kafka' } },
  spec: { nodeName: 'n1' },
  status: { phase: 'Running' },
};

interface Told {
  questions: EvictionQuestion[];
  events: string[];
  overrides: number;
  reads: number;
}

interface Given {
  pod?: Pod | undefined;
  now?: Pod | undefined;
  answer?: EvictionAnswer | Error;
  node?: Node | undefined;
  recent?: number;
  sidecar?: boolean;
  namespaceEnds?: boolean;
  unreadable?: boolean;
}

function gateOf(given: Given = {}): EvictionGate & { told: Told } {
  const { answer = { verdict: 'allow' }, recent = 0, sidecar = true, namespaceEnds = false } = given;
  const pod = 'pod' in given ? given.pod : kafka1;
  const node = 'node' in given ? given.node : {};
  const told: Told = { questions: [], events: [], overrides: 0, reads: 0 };
  return {
    told,
    podOf: async () => {
      if (given.unreadable) throw new Error('no answer within 1000 ms');
      return pod;
    },
    readPod: async () => {
      told.reads += 1;
      return 'now' in given ? given.now : pod;
    },
    nodeOf: () => node,
    namespaceEnds: () => namespaceEnds,
    hasSidecar: () => sidecar,
    ask: async (_place, question) => {
      told.questions.push(question);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    recentEvictions: () => recent,
    tell: (_pod, { reason }) => void told.events.push(reason),
    countOverride: () => void (told.overrides += 1),
  };
}

const review = (more: Partial<Review> = {}, deleteOptions?: object): Review => ({
  uid: 'u',
  operation: 'CREATE',
  namespace: 'shop',
  name: 'kafka-1',
  kind: 'Eviction',
  dryRun: false,
  username: 'drainer',
  object: { metadata: { name: 'kafka-1' }, ...(deleteOptions ? { deleteOptions } : {}) },
  oldObject: undefined,
  ...more,
});

const judge = (gate: EvictionGate, asked: Review = review(), ofHardenedSet = true) =>
  validateEviction(asked, gate, () => ofHardenedSet);

const decisionOf = async (gate: EvictionGate, asked?: Review, ofHardenedSet?: boolean) => {
  const answer = await judge(gate, asked, ofHardenedSet);
  return [answer.allowed, answer.audit?.['decision']];
};

const changed = (more: { metadata?: object; spec?: object; status?: object }): Pod => ({
  ...kafka1,
  metadata: { ...kafka1.metadata, ...more.metadata },
  spec: { ...kafka1.spec, ...more.spec },
  status: { ...kafka1.status, ...more.status },
});

void suite('an eviction', () => {
  test('is asked of the sidecar, with what is known of the node', async () => {
    const taints = [
      { key: 'gpu', value: 'yes', effect: 'NoSchedule' },
      { key: 'x', effect: 'NoExecute' },
    ];
    const gate = gateOf({ node: { spec: { unschedulable: true, taints } } });
    assert.deepEqual(await decisionOf(gate), [true, 'allowed']);
    assert.deepEqual(gate.told.questions, [
      {
        pod: 'kafka-1',
        podUid: 'uid-1',
        dryRun: false,
        user: 'drainer',
        node: { name: 'n1', cordoned: true, taints: ['gpu=yes:NoSchedule', 'x:NoExecute'] },
      },
    ]);
    const blind = gateOf({ node: undefined });
    await judge(blind);
    assert.equal('node' in blind.told.questions[0]!, false);
  });

  test('that the sidecar denies is a 429 with its words', async () => {
    const message = 'kafka-1 cannot go yet: 3 partitions would fall below min.insync.replicas';
    const answer = await judge(gateOf({ answer: { verdict: 'deny', reason: 'under-min-isr', message } }));
    assert.deepEqual(answer, {
      allowed: false,
      code: 429,
      reason: 'TooManyRequests',
      message,
      audit: { decision: 'denied', reason: 'under-min-isr' },
    });
  });

  test('that is none of the gate’s business leaves it to the budget, with the note', async () => {
    const answer = await judge(gateOf({ answer: { verdict: 'pass', note: 'broker 1 is fenced' } }));
    assert.deepEqual(answer, {
      allowed: true,
      warnings: ['broker 1 is fenced'],
      audit: { decision: 'passed' },
    });
  });

  for (const code of [
    'sidecar-away',
    'sidecar-slow',
    'sidecar-other-version',
    'sidecar-unknown',
    'sidecar-refuses',
    'sidecar-failed',
  ] as const)
    test(`without an answer (${code}) is denied, and says which object to look at and how to go on`, async () => {
      const answer = await judge(gateOf({ answer: new SidecarError(code, 'detail') }));
      assert.ok(!answer.allowed);
      assert.deepEqual(
        [answer.code, answer.reason, answer.audit],
        [429, 'TooManyRequests', { decision: code }],
      );
      assert.match(answer.message, /kubectl -n shop describe deployment kafka-kafka-warden/);
      assert.match(
        answer.message,
        /kubectl -n shop annotate pod kafka-1 kafka-warden\.io\/allow-eviction=uid-1 /,
      );
      assert.match(answer.message, /the verb use on evictionoverrides\.kafka-warden\.io/);
    });

  test('is left to the budget where no sidecar is installed, or the namespace ends', async () => {
    assert.deepEqual(await decisionOf(gateOf({ sidecar: false })), [true, 'no-sidecar']);
    assert.deepEqual(await decisionOf(gateOf({ namespaceEnds: true })), [true, 'namespace-ends']);
  });

  test('of another pod, or of none, passes at once', async () => {
    for (const pod of [
      undefined,
      changed({ metadata: { labels: {} } }),
      changed({ metadata: { labels: undefined } }),
    ]) {
      const gate = gateOf({ pod });
      assert.deepEqual(await decisionOf(gate), [true, 'no-broker']);
      assert.equal(gate.told.questions.length, 0);
    }
    assert.deepEqual(await judge(gateOf(), review({ kind: 'Pod' })), { allowed: true });
    assert.deepEqual(await judge(gateOf(), review({ object: undefined })), { allowed: true });
  });

  test('of a pod in which no broker runs passes, if that is so now', async () => {
    const cases: [Pod, string][] = [
      [changed({ metadata: { deletionTimestamp: 'now' } }), 'ending'],
      [changed({ status: { phase: 'Failed' } }), 'ended'],
      [changed({ status: { phase: 'Succeeded' } }), 'ended'],
      [changed({ status: { phase: 'Pending' } }), 'never-started'],
    ];
    for (const [pod, decision] of cases) {
      assert.deepEqual(await decisionOf(gateOf({ pod })), [true, decision]);
      const successor = gateOf({ pod, now: changed({ metadata: { uid: 'uid-2' } }) });
      assert.deepEqual(await decisionOf(successor), [true, 'allowed']);
      assert.equal(successor.told.questions[0]?.podUid, 'uid-2');
    }
  });

  test('of a pod that cannot be read is denied where it may be a broker', async () => {
    const answer = await judge(gateOf({ unreadable: true }));
    assert.ok(!answer.allowed && answer.code === 429);
    assert.match(answer.message, /shop\/kafka-1 may be a Kafka broker, .*no answer within 1000 ms/);
    assert.deepEqual(await decisionOf(gateOf({ unreadable: true }), review(), false), [true, 'unknown']);
  });

  test('any review is answered', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (metadata, deleteOptions) => {
        const object = { metadata, deleteOptions } as Record<string, unknown>;
        for (const gate of [gateOf(), gateOf({ answer: new SidecarError('sidecar-away') })])
          assert.equal(typeof (await judge(gate, review({ object }))).allowed, 'boolean');
      }),
    );
  });
});

void suite('a dry run', () => {
  const places: [string, Review][] = [
    ['beside the Eviction', review({ dryRun: true })],
    ['in the Eviction', review({}, { dryRun: ['All'] })],
  ];
  for (const [where, asked] of places) {
    test(`${where} is asked as one`, async () => {
      const gate = gateOf();
      await judge(gate, asked);
      assert.equal(gate.told.questions[0]?.dryRun, true);
    });

    test(`${where} changes nothing, with an override or in a loop`, async () => {
      const pod = changed({ metadata: { annotations: { [keys.allowEviction]: 'uid-1' } } });
      for (const gate of [gateOf({ pod }), gateOf({ recent: loop.evictions })]) {
        await judge(gate, asked);
        assert.deepEqual([gate.told.events, gate.told.overrides], [[], 0]);
      }
    });
  }

  test('is not assumed of an Eviction with other options', async () => {
    for (const options of [{}, { dryRun: [] }, { gracePeriodSeconds: 30 }]) {
      const gate = gateOf();
      await judge(gate, review({}, options));
      assert.equal(gate.told.questions[0]?.dryRun, false);
    }
  });
});

void suite('a person’s override', () => {
  const named = (uid: string) => changed({ metadata: { annotations: { [keys.allowEviction]: uid } } });

  test('lets the pod that it names go, is recorded, and told to the sidecar', async () => {
    for (const answer of [
      { verdict: 'deny', reason: 'held', message: 'no' } as const,
      new SidecarError('sidecar-away'),
    ]) {
      const gate = gateOf({ pod: named('uid-1'), answer, recent: 9 });
      const given = await judge(gate);
      assert.ok(given.allowed);
      assert.equal(given.audit?.['decision'], 'overridden');
      assert.match(given.warnings?.[0] ?? '', /lets kafka-1 go/);
      assert.deepEqual([gate.told.events, gate.told.overrides], [['EvictionOverridden'], 1]);
      assert.equal(gate.told.questions[0]?.override, 'uid-1');
    }
  });

  test('names a pod, not a broker: the next pod of the same name is asked about', async () => {
    const other = gateOf({ pod: named('uid-0'), answer: { verdict: 'deny', reason: 'held', message: 'no' } });
    assert.deepEqual(await decisionOf(other), [false, 'denied']);
    const stale = gateOf({
      pod: named('uid-1'),
      now: changed({ metadata: { uid: 'uid-2', annotations: {} } }),
      answer: { verdict: 'deny', reason: 'held', message: 'no' },
    });
    assert.deepEqual(await decisionOf(stale), [false, 'denied']);
    for (const value of ['', 'true', 'UID-1'])
      assert.deepEqual(await decisionOf(gateOf({ pod: named(value) })), [true, 'allowed']);
  });
});

void suite('a loop of evictions', () => {
  test('is broken, with an event and what to look for', async () => {
    const gate = gateOf({ recent: loop.evictions });
    const answer = await judge(gate);
    assert.ok(!answer.allowed);
    assert.deepEqual([answer.code, answer.audit], [429, { decision: 'looping' }]);
    assert.match(
      answer.message,
      /evicted 3 times within 10 minutes .*neither cordoned nor tainted.*descheduler.*cordon n1/s,
    );
    assert.deepEqual([gate.told.events, gate.told.questions.length], [['EvictionLoop'], 0]);
  });

  test('is none where a node is to be emptied, is not known, or it did not come so far', async () => {
    const nodes = [
      { spec: { unschedulable: true } },
      { spec: { taints: [{ key: 'k', effect: 'NoExecute' }] } },
      undefined,
    ];
    for (const node of nodes)
      assert.deepEqual(await decisionOf(gateOf({ node, recent: 9 })), [true, 'allowed']);
    assert.deepEqual(await decisionOf(gateOf({ recent: loop.evictions - 1 })), [true, 'allowed']);
  });
});
