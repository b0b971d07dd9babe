import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { apiVersionsV3 } from '@platformatic/kafka';
import type { Route } from './ask.ts';
import type { Address } from './connections.ts';
import { alterAtControllers, controllersAsk } from './controllers.ts';
import { KafkaError } from './errors.ts';

const changes = [
  { resource: { type: 'broker', name: '3' }, changes: [{ name: 'a', remove: true }] },
] as const;

const elsewhere = new KafkaError('kafka-refused', 'not here', { reason: 'NOT_CONTROLLER' });
const away = new KafkaError('kafka-unreachable', 'the connection failed');

/** Controllers by id, each with what it answers to a change at each time around. */
function controllers(answers: readonly (readonly (KafkaError | 'done')[])[]) {
  const asked: number[] = [];
  const route: Route = {
    addresses: () => answers.map((_, id) => ({ host: `kafka-${id}`, port: 9093 })),
    onFailure: () => undefined,
    call: (async ({ host }: Address, { key }: { key: number }) => {
      if (key === apiVersionsV3.api.key) return { apiKeys: [{ apiKey: 44, maxVersion: 1 }] };
      const id = Number(host.slice(-1));
      const own = answers[id] ?? [];
      const answer = own[Math.min(asked.filter((one) => one === id).length, own.length - 1)];
      asked.push(id);
      if (answer instanceof KafkaError) throw answer;
      return [{ resource: changes[0].resource }];
    }) as Route['call'],
  };
  return { ask: controllersAsk(route, 1), asked };
}

void suite('calls to the controllers', () => {
  test('the active one is found, and asked first the next time', async () => {
    const { ask, asked } = controllers([[elsewhere], ['done'], [elsewhere]]);
    assert.deepEqual(await alterAtControllers(ask, changes), [{ resource: changes[0].resource }]);
    await alterAtControllers(ask, changes);
    assert.deepEqual(asked, [0, 1, 1]);
  });

  test('an election is waited for, and a controller that is away is passed over', async () => {
    const { ask, asked } = controllers([[away], [elsewhere, 'done'], [elsewhere]]);
    await alterAtControllers(ask, changes);
    assert.deepEqual(asked, [0, 1, 2, 0, 1]);
  });

  test('where none is active it ends, and says what each said', async () => {
    const { ask, asked } = controllers([[away], [elsewhere]]);
    await assert.rejects(alterAtControllers(ask, changes), /No controller answered.*failed.*not here/);
    assert.equal(asked.length, 8);
    await assert.rejects(alterAtControllers(controllers([]).ask, changes), /No controller is known yet/);
  });

  test('another refusal is told at once', async () => {
    const denied = new KafkaError('kafka-unauthorized', 'no', { reason: 'CLUSTER_AUTHORIZATION_FAILED' });
    const { ask, asked } = controllers([[denied], ['done']]);
    await assert.rejects(alterAtControllers(ask, changes), { reason: 'CLUSTER_AUTHORIZATION_FAILED' });
    assert.deepEqual(asked, [0]);
  });
});
