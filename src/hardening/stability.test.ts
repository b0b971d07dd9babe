import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keys } from '../names.ts';
import { applyPatch } from './diff.ts';
import { harden, layoutOf, profilePins, unharden, type StatefulSet } from './index.ts';
import { applyApiDefaults } from './test/api-defaults.ts';
import { manifests } from './test/arbitrary.ts';
import { edits } from './test/edits.ts';
import { specOf, writes } from './test/writes.ts';
import { clone } from './tree.ts';

const namespace = 'demo';
const pins = fc.constantFrom(...profilePins.filter((pin) => pin.startsWith('apache-kafka/')));
const runs = (numRuns: number) => ({ numRuns: Number(process.env['FC_RUNS'] ?? numRuns) });

const withAnnotations = (set: StatefulSet, annotations: Record<string, string>): StatefulSet => {
  const copy = clone(set);
  copy.metadata = { ...copy.metadata, annotations: { ...copy.metadata?.annotations, ...annotations } };
  return copy;
};

/** Hardened at creation under a profile version. */
function created(manifest: StatefulSet, pin: string): StatefulSet {
  const result = harden(withAnnotations(manifest, { [keys.profile]: pin }), { namespace });
  assert.equal(result.decision, 'hardened', JSON.stringify(result.findings));
  return result.workload;
}

function updated(incoming: StatefulSet, old: StatefulSet): StatefulSet {
  const result = harden(incoming, { namespace, old });
  assert.equal(result.decision, 'hardened', JSON.stringify(result.findings));
  return result.workload;
}

/** Server-side apply leaves objects behind whose last field it took. */
const withoutEmpty = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutEmpty(inner)] as const);
  return Object.fromEntries(
    entries.filter(([, v]) => typeof v !== 'object' || v === null || Object.keys(v).length > 0),
  );
};

const defaulting = fc.constantFrom(
  { name: 'as written', of: (set: StatefulSet) => set },
  { name: 'defaulted', of: applyApiDefaults },
);

test('hardening what is hardened changes nothing', () => {
  fc.assert(
    fc.property(manifests, pins, defaulting, (manifest, pin, { of }) => {
      const hardened = of(created(manifest, pin));
      assert.deepEqual(harden(hardened, { namespace }).patch, []);
      assert.deepEqual(harden(hardened, { namespace, old: hardened }).patch, []);
    }),
    runs(150),
  );
});

test('a manifest and its defaulted form come out the same', () => {
  fc.assert(
    fc.property(manifests, pins, (manifest, pin) => {
      const defaulted = applyApiDefaults(manifest);
      const { patch } = harden(withAnnotations(defaulted, { [keys.profile]: pin }), { namespace });
      const patched = applyPatch(defaulted, patch);
      assert.deepEqual(specOf(patched), specOf(created(manifest, pin)));
    }),
    runs(150),
  );
});

test('unhardening gives the original back, API defaults aside', () => {
  fc.assert(
    fc.property(manifests, pins, defaulting, (manifest, pin, { of }) => {
      const back = unharden(of(created(manifest, pin)));
      const { annotations, ...metadata } = back.metadata ?? {};
      assert.deepEqual(specOf(back), specOf(manifest));
      const { annotations: original = {}, ...rest } = manifest.metadata ?? {};
      assert.deepEqual(annotations ?? {}, original);
      assert.deepEqual(metadata, rest);
    }),
    runs(150),
  );
});

for (const [name, write] of Object.entries(writes)) {
  test(`${name} of the vanilla manifest over the hardened set changes nothing`, () => {
    fc.assert(
      fc.property(manifests, pins, fc.boolean(), defaulting, (manifest, pin, stored, { of }) => {
        const live = stored ? applyApiDefaults(created(manifest, pin)) : created(manifest, pin);
        const after = updated(of(write(manifest, live, manifest)), live);
        assert.deepEqual(specOf(after), specOf(live));
        assert.deepEqual(specOf(unharden(after)), specOf(manifest));
        assert.deepEqual(layoutOf(after), layoutOf(live));
        assert.equal(after.metadata?.annotations?.[keys.profile], pin);
      }),
      runs(120),
    );
  });

  test(`${name} of a changed manifest comes out as the changed manifest hardened afresh`, () => {
    fc.assert(
      fc.property(manifests, edits, pins, defaulting, (manifest, edit, pin, { of }) => {
        const live = applyApiDefaults(created(manifest, pin));
        const next = edit.apply(manifest);
        // What the same write makes of a cluster without kafka-warden: defaults that stick are Kubernetes' own doing.
        const meant = write(manifest, applyApiDefaults(manifest), next);
        const annotations = {
          [keys.profile]: pin,
          [keys.layout]: live.metadata?.annotations?.[keys.layout] ?? '',
        };
        const afresh = harden(withAnnotations(meant, annotations), { namespace });
        const result = harden(of(write(manifest, live, next)), { namespace, old: live });
        assert.equal(result.decision, afresh.decision, edit.name);
        if (result.decision !== 'hardened') return;
        assert.deepEqual(specOf(result.workload), specOf(afresh.workload), edit.name);
        if (edit.coincides !== true)
          assert.deepEqual(
            withoutEmpty(specOf(unharden(result.workload))),
            withoutEmpty(specOf(meant)),
            edit.name,
          );
      }),
      runs(250),
    );
  });
}

test('any chain of writes, the last of them vanilla, ends where it began', () => {
  const write = fc.constantFrom(...Object.values(writes));
  fc.assert(
    fc.property(manifests, pins, fc.array(write, { minLength: 2, maxLength: 4 }), (manifest, pin, chain) => {
      const first = applyApiDefaults(created(manifest, pin));
      let live = first;
      for (const step of chain)
        live = applyApiDefaults(updated(applyApiDefaults(step(manifest, live, manifest)), live));
      assert.deepEqual(live.spec, first.spec);
    }),
    runs(150),
  );
});
