import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { keys } from '../names.ts';
import { harden, layoutOf, unharden, type Finding, type Layout, type StatefulSet } from './index.ts';
import { applyApiDefaults } from './test/api-defaults.ts';
import { dimensions, manifestOf, type Dimensions } from './test/dimensions.ts';
import { brokerOf, settings, variable } from './test/manifest.ts';
import { specOf, writes } from './test/writes.ts';

const namespace = 'demo';
const runs = (numRuns: number) => ({ numRuns: Number(process.env['FC_RUNS'] ?? numRuns) });
const parts = dimensions.map((d) => ({ d, manifest: manifestOf(d) }));

const hardened = (manifest: StatefulSet): StatefulSet | undefined => {
  const { decision, workload } = harden(manifest, { namespace });
  return decision === 'hardened' ? workload : undefined;
};

const isActionable = ({ rule, path, message, remedy }: Finding) =>
  rule !== '' && path.startsWith('/') && /\S/.test(message) && /\S\.$/.test(remedy);

describe('over image × mode × delivery × storage × security × listeners', () => {
  test('every outcome is whole: hardened with every part in place, or left as written with a reason', () => {
    fc.assert(
      fc.property(parts, ({ manifest }) => {
        const { decision, patch, findings, workload } = harden(manifest, { namespace });
        assert.ok(findings.every(isActionable), JSON.stringify(findings.filter((f) => !isActionable(f))));
        if (decision !== 'hardened') {
          assert.deepEqual(patch, []);
          assert.equal(workload, manifest);
          assert.ok(findings.some((f) => f.severity !== 'info'));
          return;
        }
        assertWhole(workload);
      }),
      runs(400),
    );
  });

  test('security of its own is never mixed with ours', () => {
    const own = parts.filter(({ d }) => d.security === 'own' && isVisible(d));
    fc.assert(
      fc.property(own, ({ manifest }) => {
        const { decision, findings } = harden(manifest, { namespace });
        assert.equal(decision, 'reported');
        assert.ok(findings.some((f) => f.rule === 'listeners' || f.rule === 'image-profile'));
      }),
      runs(100),
    );
  });

  test('hardening what is hardened changes nothing, and unhardening gives the original back', () => {
    fc.assert(
      fc.property(parts, fc.boolean(), ({ manifest }, defaulted) => {
        const first = hardened(manifest);
        if (first === undefined) return;
        const live = defaulted ? applyApiDefaults(first) : first;
        assert.deepEqual(harden(live, { namespace }).patch, []);
        assert.deepEqual(harden(live, { namespace, old: live }).patch, []);
        assert.deepEqual(specOf(unharden(live)), specOf(manifest));
      }),
      runs(250),
    );
  });

  for (const [name, write] of Object.entries(writes))
    test(`${name} of the vanilla manifest over the hardened set changes nothing`, () => {
      fc.assert(
        fc.property(parts, ({ manifest }) => {
          const first = hardened(manifest);
          if (first === undefined) return;
          const live = applyApiDefaults(first);
          const after = harden(write(manifest, live, manifest), { namespace, old: live });
          assert.equal(after.decision, 'hardened', JSON.stringify(after.findings));
          assert.deepEqual(specOf(after.workload), specOf(live));
          assert.deepEqual(layoutOf(after.workload), layoutOf(live));
        }),
        runs(150),
      );
    });

  test('the number of replicas never shows in the template of a running set', () => {
    fc.assert(
      fc.property(parts, fc.constantFrom(1, 2, 3, 4, 7), ({ manifest }, replicas) => {
        const first = hardened(manifest);
        if (first === undefined) return;
        const live = applyApiDefaults(first);
        const scaled = { ...live, spec: { ...live.spec, replicas } } as StatefulSet;
        const after = harden(scaled, { namespace, old: live });
        assert.equal(after.decision, 'hardened', JSON.stringify(after.findings));
        assert.deepEqual(after.workload.spec?.template, live.spec?.template);
      }),
      runs(150),
    );
  });
});

/** Where the core can see that the set has security of its own. */
const isVisible = ({ delivery, image, mode }: Dimensions): boolean => {
  if (delivery === 'here-document') return true;
  if (mode === 'hidden' && delivery === 'envFrom') return false;
  const read = image.run !== undefined || delivery === 'arguments';
  return read && ['environment', 'arguments', 'shell'].includes(delivery);
};

const servesClients = new Set(['combined', 'broker', 'zookeeper', 'unseen']);

/** Launcher, stores, identity, listeners and labels: all of them, and what the role asks for. */
function assertWhole(set: StatefulSet): void {
  const layout = layoutOf(set);
  assert.ok(layout);
  const role = layout.role ?? 'combined';
  const template = set.spec?.template;
  const pod = template?.spec;
  const { command = [], args = [] } = brokerOf(set);
  assert.match([...command, ...args].join('\n'), /\/etc\/kafka-warden\/launcher\/launch/);
  assert.equal(template?.metadata?.labels?.[keys.node], layout.cluster);
  assert.equal(template.metadata.labels[keys.broker], servesClients.has(role) ? layout.cluster : undefined);
  assert.equal(variable(set, 'WARDEN_ROLE'), role);
  const volumes = (pod?.volumes ?? []).map((v) => v.name);
  assert.ok(volumes.includes('kafka-warden-keys') && volumes.includes('kafka-warden-launcher'));
  assert.equal(volumes.includes('kafka-warden-run'), variable(set, 'WARDEN_RUN') !== undefined);
  assertSettings(settings(set), layout);
}

function assertSettings(lines: readonly string[], { role = 'combined', external = [] }: Layout): void {
  const has = (text: RegExp) => lines.some((line) => text.test(line));
  assert.equal(has(/^inter\.broker\.listener\.name=INTERNAL$/), true);
  assert.equal(has(/authorizer\.class\.name=/), true);
  assert.equal(has(/process\.roles=/), role !== 'zookeeper');
  assert.equal(has(/PLAINTEXT/), false, 'no setting of ours is plaintext');
  assert.equal(has(/password=(?!\$\{warden:)/), false, 'no password stands in the template');
  assert.equal(has(/listener\.name\.client/), servesClients.has(role));
  if (!servesClients.has(role)) return;
  assert.ok(has(/listener\.name\.internal\.ssl\.client\.auth=required$/));
  assert.ok(has(/listener\.name\.client\.sasl\.enabled\.mechanisms=SCRAM-SHA-512$/));
  for (const { name } of external)
    assert.ok(has(new RegExp(`listener\\.name\\.${name.toLowerCase()}\\.ssl\\.keystore\\.location=`)));
}
