import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ModelError, parseModel } from './model.ts';

const capacity = { disk: 1000, networkIn: 100, networkOut: 100 };
const broker = (id: number) => ({ id, rack: `r${id}`, state: 'alive', capacity });
const partition = {
  topic: 'orders',
  partition: 0,
  replicas: [1, 2],
  leader: 1,
  size: 10,
  bytesIn: 1,
  bytesOut: 2,
};
const model = { brokers: [broker(1), broker(2)], partitions: [partition] };

suite('parseModel', () => {
  test('returns a valid model as it is', () => assert.equal(parseModel(model), model));

  const broken: [string, unknown, string, RegExp][] = [
    ['a list', [], 'model', /not an object/],
    ['no brokers', { partitions: [] }, 'brokers', /not a list/],
    ['a broker twice', { ...model, brokers: [broker(1), broker(1)] }, 'brokers[1].id', /twice/],
    [
      'an unknown state',
      { ...model, brokers: [{ ...broker(1), state: 'dead' }] },
      'brokers[0].state',
      /alive, new or draining/,
    ],
    [
      'a capacity of 0',
      { ...model, brokers: [{ ...broker(1), capacity: { ...capacity, networkIn: 0 } }] },
      'brokers[0].capacity.networkIn',
      /above 0/,
    ],
    [
      'a directory twice',
      {
        ...model,
        brokers: [{ ...broker(1), dirs: [1, 2].map(() => ({ path: '/a', capacity: 1 })) }, broker(2)],
      },
      'brokers[0].dirs[1].path',
      /each log directory once/,
    ],
    [
      'a replica in no directory of a broker that has two',
      {
        ...model,
        brokers: [{ ...broker(1), dirs: ['/a', '/b'].map((path) => ({ path, capacity: 1 })) }, broker(2)],
      },
      'partitions[0].dirs',
      /in which of its 2 log directories broker 1 has its replica/,
    ],
    [
      'directories for some of the replicas',
      { ...model, partitions: [{ ...partition, dirs: ['/a'] }] },
      'partitions[0].dirs',
      /1 entries for 2 replicas/,
    ],
    [
      'only draining brokers',
      { ...model, brokers: [{ ...broker(1), state: 'draining' }] },
      'brokers',
      /none is left/,
    ],
    [
      'an unknown broker',
      { ...model, partitions: [{ ...partition, replicas: [1, 7] }] },
      'partitions[0].replicas',
      /broker 7, which is not in "brokers"/,
    ],
    [
      'a replica twice',
      { ...model, partitions: [{ ...partition, replicas: [1, 1] }] },
      'partitions[0].replicas',
      /twice/,
    ],
    [
      'a leader elsewhere',
      { ...model, partitions: [{ ...partition, leader: 3 }] },
      'partitions[0].leader',
      /or -1 for none/,
    ],
    [
      'a negative size',
      { ...model, partitions: [{ ...partition, size: -1 }] },
      'partitions[0].size',
      /0 where it is unknown/,
    ],
    ['a partition twice', { ...model, partitions: [partition, partition] }, 'partitions[1]', /appears twice/],
  ];
  for (const [name, input, field, message] of broken)
    test(`refuses ${name}, naming the field and the remedy`, () => {
      assert.throws(
        () => parseModel(input),
        (error) => {
          assert.ok(error instanceof ModelError);
          assert.equal(error.code, 'MODEL_INVALID');
          assert.equal(error.field, field);
          assert.match(error.message, message);
          return true;
        },
      );
    });
});
