import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { PartitionFacts } from '../../gate/index.ts';
import { viewBytes } from '../../kafka/test/view-bytes.ts';
import { type Undigested, digest } from './digest.ts';
import { Digester, type DigesterOptions } from './digester.ts';

const partitions: PartitionFacts[] = Array.from({ length: 600 }, (_, i) => ({
  ...{ topic: `topic-${i % 40}`, partition: Math.floor(i / 40), leader: i % 3 },
  ...{ replicas: [i % 3, (i + 1) % 3, (i + 2) % 3], isr: [0, 1, 2] },
}));
const view = (readAtMs: number, told = partitions) => ({
  bytes: viewBytes({ controllerId: 0, serving: [0, 1, 2], partitions: told }),
  readAtMs,
});
const read = (readAtMs: number): Undigested => ({ views: [view(readAtMs), view(readAtMs), view(readAtMs)] });

function given(t: TestContext, options: Partial<DigesterOptions> = {}) {
  const lost: string[] = [];
  const log = { warn: (_fields: object, message: string) => void lost.push(message) };
  const digester = new Digester({ log, inlineBytes: 0, pauseMs: { first: 150, longest: 300 }, ...options });
  t.after(() => digester.close());
  return { digester, lost };
}

test('a thread digests as the caller would, from one read to the next', async (t) => {
  const { digester } = given(t);
  const [here, there] = [digest(read(1_000)), await digester.digest(read(1_000))];
  assert.deepEqual(there, here);
  const [nextHere, nextThere] = [
    digest({ ...read(31_000), history: here.history! }),
    await digester.digest({ ...read(31_000), history: there.history! }),
  ];
  assert.deepEqual(nextThere, nextHere);
  assert.ok(nextThere.history!.sinceMs.every((since) => since === 1_000));
  assert.equal(nextThere.views[0]!.partitions, nextThere.history!.table, 'one table, not two');
});

test('an answer that cannot be judged is no view, and takes no other along', async (t) => {
  const { digester } = given(t);
  const views = [view(1_000, [...partitions, partitions[0]!]), view(1_000)];
  const found = await digester.digest({ views });
  assert.equal(found.views[0], undefined);
  assert.equal(found.views[1]!.partitions.partition.length, 600);
  assert.equal(found.joined.rows.length, 2, 'that view and the history');
});

test('small reads need no thread', async (t) => {
  const { digester, lost } = given(t, { inlineBytes: 1_000_000, patienceMs: 0 });
  assert.deepEqual(await digester.digest(read(1_000)), digest(read(1_000)));
  assert.deepEqual(lost, []);
});

test('the death of the thread fails the read; it is started again after a pause that grows', async (t) => {
  const { digester, lost } = given(t);
  const terminate = t.mock.method(Worker.prototype, 'postMessage', function (this: Worker) {
    void this.terminate();
  });
  await assert.rejects(
    digester.digest(read(1_000)),
    /thread that reads the brokers’ answers ended with code/,
  );
  await assert.rejects(digester.digest(read(1_000)), /has died and is started again in 1 s/);
  await new Promise((resolve) => setTimeout(resolve, 160));
  await assert.rejects(digester.digest(read(1_000)), /ended with code/);
  await new Promise((resolve) => setTimeout(resolve, 160));
  await assert.rejects(digester.digest(read(1_000)), /is started again/, 'the second pause is longer');
  terminate.mock.restore();
  await new Promise((resolve) => setTimeout(resolve, 160));
  assert.equal((await digester.digest(read(1_000))).views.length, 3);
  assert.equal(lost.length, 2);
});

test('a thread that hangs is ended', async (t) => {
  const { digester } = given(t, { patienceMs: 100 });
  t.mock.method(Worker.prototype, 'postMessage', () => undefined);
  await assert.rejects(digester.digest(read(1_000)), /took more than 100 ms/);
});

test('what is asked of a digester that is closed fails', async (t) => {
  const { digester } = given(t);
  const asked = digester.digest(read(1_000));
  const refused = assert.rejects(asked, /was ended/);
  await digester.close();
  await refused;
  await assert.rejects(digester.digest(read(1_000)), /Nothing more is read/);
});
