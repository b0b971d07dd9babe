import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Container } from '../hardening/model.ts';
import type { JsonObject } from '../hardening/tree.ts';
import { readShape } from '../../test/shapes/shape.ts';
import { lint } from './index.ts';
import { leftAlone, said, set } from './test/objects.ts';

type Parts = Parameters<typeof set>[0];

const beside = (command: string[], more: Partial<Container> = {}) => ({
  after: [{ name: 'side', image: 'busybox:1', command, ...more }],
});
const held = (parts: Parts) => said('held-stop', set(parts));
const script = (text: string) => held(beside(['sh', '-c', text]));

suite('a neighbour that ignores SIGTERM is said where it', () => {
  for (const command of [
    ['sleep', 'infinity'],
    ['/bin/sleep', '1d'],
    ['tail', '-f', '/dev/null'],
    ['tail', '-n', '0', '-F', '/logs/a'],
    ['tail', '--follow=name', '/logs/a'],
  ])
    test(`is ${command.join(' ')}`, () =>
      assert.match(
        held(beside(command)).join(),
        /containers\/1\/command: .* side is (sleep|tail), .* 360 s/,
      ));

  for (const text of [
    'sleep infinity',
    'touch /a; exec tail -F /a',
    'create-topics || true; exec sleep infinity',
    'sleep infinity & wait',
    'while true; do date; sleep 10; done',
    'while :\ndo\n  date\n  sleep 10\ndone\n',
  ])
    test(`is a shell that rests in ${JSON.stringify(text)}`, () => assert.equal(script(text).length, 1));

  test('is a native sidecar, also with its script among the args', () => {
    const initContainers = [
      {
        name: 'log',
        image: 'busybox:1',
        restartPolicy: 'Always',
        command: ['sh'],
        args: ['-c', 'tail -F /a'],
      },
    ];
    assert.match(
      held({ pod: { initContainers } }).join(),
      /initContainers\/0\/command: .* log is a shell that waits/,
    );
  });

  test('stands beside a broker that is left alone: by its own grace period', () => {
    const pod = { terminationGracePeriodSeconds: 90 };
    assert.match(
      said('held-stop', leftAlone({ ...beside(['sleep', 'infinity']), pod })).join(),
      /, 90 s after/,
    );
    assert.match(said('held-stop', leftAlone(beside(['sleep', 'infinity']))).join(), /, 30 s after/);
  });
});

suite('nothing is said of a neighbour that', () => {
  for (const text of [
    'trap "exit 0" TERM; sleep infinity & wait',
    'tail -F /a & exec /app/server',
    'while true; do [ -e /stop ] && exit 0; sleep 1; done',
    'sleep 20; create-topics',
    'while read line; do echo $line; done',
    'echo "sleep infinity"',
  ])
    test(`may end: ${text}`, () => assert.deepEqual(script(text), []));

  for (const command of [
    ['tini', '--', 'sleep', 'infinity'],
    ['sleep', '30'],
    ['tail', '/logs/a'],
    ['/exporter'],
    [],
  ])
    test(`starts ${JSON.stringify(command)}`, () => assert.deepEqual(held(beside(command)), []));

  test('is not the first process of its container, has a hook, or another stop signal', () => {
    const sleeps = beside(['sleep', 'infinity']);
    assert.deepEqual(held({ ...sleeps, pod: { shareProcessNamespace: true } }), []);
    const preStop = { exec: { command: ['touch', '/stop'] } };
    assert.deepEqual(held(beside(['sleep', 'infinity'], { lifecycle: { preStop } })), []);
    assert.deepEqual(held(beside(['sleep', 'infinity'], { lifecycle: { stopSignal: 'SIGKILL' } })), []);
  });

  test('is an init container, which ends before the broker starts, or beside no broker', () => {
    const initContainers = [{ name: 'init', image: 'busybox:1', command: ['sleep', 'infinity'] }];
    assert.deepEqual(held({ pod: { initContainers } }), []);
    assert.deepEqual(said('held-stop', set({ image: 'postgres:17', ...beside(['sleep', 'infinity']) })), []);
  });
});

/** What was seen on a real cluster: the first two hold the ended pod, the third comes back in seconds. */
test('the shapes whose pods are held are told, and the one that ends is not', () => {
  const count = (name: string) =>
    lint(
      readShape(name).objects.map((value) => ({
        value: value as unknown as JsonObject,
        namespace: 'demo',
      })),
    ).findings.filter((f) => f.rule === 'held-stop').length;
  assert.deepEqual(
    ['sidecar-native', 'sidecar-creates-topics', 'sidecar-native-that-ends'].map(count),
    [2, 1, 0],
  );
});
