import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { defaultPeriods } from '../gate/evidence-source.ts';
import { FakeKafka } from '../gate/test/fake-kafka.ts';
import { type Surroundings, brokerPod, surroundings } from '../gate/test/surroundings.ts';
import { type Stops, stopsOf } from './index.ts';
import { evidenceOnDemand } from './on-demand.ts';
import { answerStop } from './route.ts';

interface Given extends Surroundings {
  readonly kafka: FakeKafka;
  readonly stops: Stops;
}

const periods = { ...defaultPeriods, quickMs: 20 };

/** With the gate's evidence, or, where the gate is off, with what is read on demand. */
async function given(t: TestContext, { gate = true } = {}): Promise<Given> {
  const kafka = new FakeKafka();
  const around = surroundings({ kafka, periods });
  const stop = new AbortController();
  t.after(() => stop.abort());
  if (gate) void around.gate.run(stop.signal);
  const { context } = around;
  const source = gate ? around.gate.evidence : evidenceOnDemand({ context, kafka, periods }, stop.signal);
  return { ...around, kafka, stops: stopsOf(context, source) };
}

const ask = ({ stops }: Given, ordinal: number) => stops.answer(`kafka-${ordinal}`, `uid-kafka-${ordinal}-1`);
const end = (around: Given, ordinal: number) =>
  around.setPods([0, 1, 2].map((id) => (id === ordinal ? endingPod(id) : brokerPod(id))));
/** With the whole of its grace period before it. */
function endingPod(ordinal: number) {
  const pod = brokerPod(ordinal, 1, { terminating: true });
  const killed = new Date(Date.now() + 360_000).toISOString();
  return { ...pod, metadata: { ...pod.metadata, deletionTimestamp: killed as unknown as Date } };
}

for (const gate of [true, false])
  test(`with the gate ${gate ? 'on' : 'off'}, a pod stops at once where all is well, and waits for a broker that is silent`, async (t) => {
    const around = await given(t, { gate });
    end(around, 1);
    assert.equal((await ask(around, 1))?.answer, 'stop');
    around.kafka.silent.add(0);
    end(around, 2);
    const said = await ask(around, 2);
    assert.equal(said?.answer, 'wait');
    assert.match(said.why, /broker 0 does not answer/);
    around.kafka.silent.clear();
    await new Promise((resolve) => setTimeout(resolve, 450));
    assert.equal((await ask(around, 2))?.answer, 'stop');
    assert.equal(around.record().holder, undefined, 'asking changes nothing');
  });

test('a pod of another name or UID is not known, and costs nothing', async (t) => {
  const around = await given(t, { gate: false });
  assert.equal(await around.stops.answer('kafka-1', 'uid-kafka-2-1'), undefined);
  assert.equal(await around.stops.answer('other-1', 'uid-kafka-1-1'), undefined);
  assert.equal(around.kafka.reads, 0);
});

test('with the gate off Kafka is read only while somebody asks, and again when somebody asks again', async (t) => {
  const kafka = new FakeKafka();
  const around = surroundings({ kafka });
  const stop = new AbortController();
  t.after(() => stop.abort());
  const brief = { ...periods, askedForMs: 100 };
  const source = evidenceOnDemand({ context: around.context, kafka, periods: brief }, stop.signal);
  for (const round of [1, 2]) {
    const before = kafka.reads;
    source.hurry();
    assert.ok(await source.fresh(50, 2_000), `round ${round}`);
    assert.ok(kafka.reads > before);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const after = kafka.reads;
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(kafka.reads, after, 'nobody asks');
  }
});

test('many questions at once are one judgement', async (t) => {
  const around = await given(t);
  end(around, 1);
  await ask(around, 1);
  let pings = 0;
  const { ping } = around.kafka;
  around.kafka.ping = async (broker) => {
    pings++;
    return ping(broker);
  };
  await new Promise((resolve) => setTimeout(resolve, 450));
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask(around, 1)));
  assert.ok(answers.every((one) => one?.answer === 'stop'));
  assert.ok(pings < 50, `${pings} pings`);
});

async function serve(t: TestContext, stops: Stops | undefined): Promise<string> {
  const server: Server = createServer((request, response) => {
    if (!answerStop(stops, request, response)) response.writeHead(418).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('over HTTP the answer is a line that a shell can read', async (t) => {
  const answers: Stops = {
    answer: async (pod, uid) =>
      uid !== 'uid-1' ? undefined : { answer: pod === 'kafka-1' ? 'wait' : 'stop', why: 'so' },
  };
  const base = await serve(t, answers);
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(base + path, { method });
    return [response.status, method === 'HEAD' ? '' : await response.text()];
  };
  assert.deepEqual(await get('/v1/stops/kafka-1?uid=uid-1'), [200, 'wait so\n']);
  assert.deepEqual(await get('/v1/stops/kafka-2?uid=uid-1'), [200, 'yes so\n']);
  assert.equal((await get('/v1/stops/kafka-1?uid=other'))[0], 404);
  for (const path of ['/v1/stops/', '/v1/stops/kafka-1', '/v1/stops/kafka-1?uid=', '/v1/stops/a/b?uid=c'])
    assert.equal((await get(path))[0], 404, path);
  for (const method of ['POST', 'PUT', 'DELETE', 'HEAD'])
    assert.equal((await get('/v1/stops/kafka-1?uid=uid-1', method))[0], 405, method);
  assert.equal((await get('/metrics'))[0], 418);
});

test('a process that does not act for the cluster says so', async (t) => {
  const response = await fetch(`${await serve(t, undefined)}/v1/stops/kafka-1?uid=uid-1`);
  assert.equal(response.status, 503);
});
