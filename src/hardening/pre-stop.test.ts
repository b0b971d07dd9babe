import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { harden, profilePins, unharden, type Container, type StatefulSet } from './index.ts';
import { stopCall } from './reserved.ts';
import { applyApiDefaults } from './test/api-defaults.ts';
import { kafka } from './test/manifest.ts';

type Lifecycle = NonNullable<Container['lifecycle']>;

const withHook = (lifecycle?: Lifecycle): StatefulSet =>
  kafka({ container: lifecycle === undefined ? {} : { lifecycle } });
const hardened = (set: StatefulSet) => harden(set, { namespace: 'demo' });
const broker = (set: StatefulSet): Container => set.spec!.template.spec!.containers[0]!;
const hookOf = (lifecycle?: Lifecycle) => broker(hardened(withHook(lifecycle)).workload).lifecycle;
const variable = (container: Container, name: string) => container.env?.find((e) => e.name === name);

describe('the question before a node stops', () => {
  test('is asked of the cluster’s sidecar, about this pod', () => {
    const container = broker(hardened(withHook()).workload);
    assert.deepEqual(container.lifecycle, { preStop: { exec: { command: [...stopCall] } } });
    assert.equal(variable(container, 'WARDEN_STOPS')?.value, 'kafka-kafka-warden.demo.svc:8080');
    assert.equal(variable(container, 'WARDEN_POD_UID')?.valueFrom?.fieldRef?.fieldPath, 'metadata.uid');
    const grace = hardened(withHook()).workload.spec?.template.spec?.terminationGracePeriodSeconds;
    assert.equal(grace, 360);
  });

  test('comes before a program that the manifest runs, which stays as it is', () => {
    const command = ['sh', '-c', 'echo leaving; sleep 2'];
    assert.deepEqual(hookOf({ preStop: { exec: { command } } })?.preStop?.exec?.command, [
      ...stopCall,
      ...command,
    ]);
    const postStart = { exec: { command: ['touch', '/tmp/x'] } };
    assert.deepEqual(hookOf({ postStart })?.postStart, postStart);
  });

  for (const [kind, preStop] of Object.entries({
    httpGet: { httpGet: { port: 8081, path: '/stop' } },
    tcpSocket: { tcpSocket: { port: 8081 } },
    sleep: { sleep: { seconds: 5 } },
  }))
    test(`is left out, and that is said, where the manifest has a hook that is no program (${kind})`, () => {
      const set = withHook({ preStop });
      const { workload, findings } = hardened(set);
      assert.deepEqual(broker(workload).lifecycle, { preStop });
      assert.equal(variable(broker(workload), 'WARDEN_STOPS'), undefined);
      const [finding] = findings.filter((f) => f.rule === 'pre-stop');
      assert.equal(finding?.path, `/spec/template/spec/containers/0/lifecycle/preStop/${kind}`);
      assert.match(finding?.message ?? '', /kept as it is/);
      assert.match(finding?.remedy ?? '', /exec/);
    });

  test('goes with unharden, and gives the manifest’s hook back', () => {
    const command = ['/opt/leave', '--now'];
    for (const lifecycle of [
      undefined,
      { preStop: { exec: { command } } },
      { postStart: { exec: { command } } },
    ]) {
      const set = withHook(lifecycle);
      const back = unharden(applyApiDefaults(hardened(set).workload));
      assert.deepEqual(broker(back).lifecycle, lifecycle);
    }
  });

  test('makes way for a hook of another kind that is applied over it', () => {
    const live = applyApiDefaults(hardened(withHook()).workload);
    const written = structuredClone(live);
    broker(written).lifecycle = { preStop: { ...broker(live).lifecycle?.preStop, sleep: { seconds: 3 } } };
    const { workload } = harden(written, { namespace: 'demo', old: live });
    assert.deepEqual(broker(workload).lifecycle, { preStop: { sleep: { seconds: 3 } } });
  });

  test('is not asked by sets of older profiles', () => {
    for (const pin of profilePins.filter((p) => /^apache-kafka\/[123]$/.test(p))) {
      const set = withHook();
      const pinned = {
        ...set,
        metadata: { ...set.metadata, annotations: { 'kafka-warden.io/profile': pin } },
      };
      assert.equal(broker(hardened(pinned).workload).lifecycle, undefined, pin);
    }
  });
});
