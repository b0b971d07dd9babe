import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keys } from '../names.ts';
import { applyPatch } from './diff.ts';
import { harden, layoutOf, pinOf, profileVersions, unharden, type StatefulSet } from './index.ts';
import { applyApiDefaults } from './test/api-defaults.ts';
import { manifests } from './test/arbitrary.ts';
import { edits } from './test/edits.ts';
import { serverSideApply, threeWayMerge } from './test/merge.ts';
import { clone } from './tree.ts';

const namespace = 'demo';
const versions = fc.constantFrom(...profileVersions);
const runs = (numRuns: number) => ({ numRuns: Number(process.env['FC_RUNS'] ?? numRuns) });

const withAnnotations = (set: StatefulSet, annotations: Record<string, string>): StatefulSet => {
  const copy = clone(set);
  copy.metadata = { ...copy.metadata, annotations: { ...copy.metadata?.annotations, ...annotations } };
  return copy;
};

/** Hardened at creation under a profile version. */
function created(manifest: StatefulSet, version: number): StatefulSet {
  const result = harden(withAnnotations(manifest, { [keys.profile]: pinOf(version) }), { namespace });
  assert.equal(result.decision, 'hardened', JSON.stringify(result.findings));
  return result.workload;
}

function updated(incoming: StatefulSet, old: StatefulSet): StatefulSet {
  const result = harden(incoming, { namespace, old });
  assert.equal(result.decision, 'hardened', JSON.stringify(result.findings));
  return result.workload;
}

/** What counts: the template makes revisions, the rest of the spec is immutable or ours. */
const specOf = (set: StatefulSet) => applyApiDefaults(set).spec;

/** Server-side apply leaves objects behind whose last field it took. */
const withoutEmpty = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutEmpty(inner)] as const);
  return Object.fromEntries(
    entries.filter(([, v]) => typeof v !== 'object' || v === null || Object.keys(v).length > 0),
  );
};

type Write = (last: StatefulSet, live: StatefulSet, next: StatefulSet) => StatefulSet;

const writes: Record<string, Write> = {
  'kubectl apply or helm upgrade': threeWayMerge,
  'server-side apply': serverSideApply,
  PUT: (_last, _live, next) => next,
};

const defaulting = fc.constantFrom(
  { name: 'as written', of: (set: StatefulSet) => set },
  { name: 'defaulted', of: applyApiDefaults },
);

test('hardening what is hardened changes nothing', () => {
  fc.assert(
    fc.property(manifests, versions, defaulting, (manifest, version, { of }) => {
      const hardened = of(created(manifest, version));
      assert.deepEqual(harden(hardened, { namespace }).patch, []);
      assert.deepEqual(harden(hardened, { namespace, old: hardened }).patch, []);
    }),
    runs(150),
  );
});

test('a manifest and its defaulted form come out the same', () => {
  fc.assert(
    fc.property(manifests, versions, (manifest, version) => {
      const defaulted = applyApiDefaults(manifest);
      const { patch } = harden(withAnnotations(defaulted, { [keys.profile]: pinOf(version) }), { namespace });
      const patched = applyPatch(defaulted, patch);
      assert.deepEqual(specOf(patched), specOf(created(manifest, version)));
    }),
    runs(150),
  );
});

test('unhardening gives the original back, API defaults aside', () => {
  fc.assert(
    fc.property(manifests, versions, defaulting, (manifest, version, { of }) => {
      const back = unharden(of(created(manifest, version)));
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
      fc.property(manifests, versions, fc.boolean(), defaulting, (manifest, version, stored, { of }) => {
        const live = stored ? applyApiDefaults(created(manifest, version)) : created(manifest, version);
        const after = updated(of(write(manifest, live, manifest)), live);
        assert.deepEqual(specOf(after), specOf(live));
        assert.deepEqual(specOf(unharden(after)), specOf(manifest));
        assert.deepEqual(layoutOf(after), layoutOf(live));
        assert.equal(after.metadata?.annotations?.[keys.profile], pinOf(version));
      }),
      runs(120),
    );
  });

  test(`${name} of a changed manifest comes out as the changed manifest hardened afresh`, () => {
    fc.assert(
      fc.property(manifests, edits, versions, defaulting, (manifest, edit, version, { of }) => {
        const live = applyApiDefaults(created(manifest, version));
        const next = edit.apply(manifest);
        // What the same write makes of a cluster without kafka-warden: defaults that stick are Kubernetes' own doing.
        const meant = write(manifest, applyApiDefaults(manifest), next);
        const annotations = {
          [keys.profile]: pinOf(version),
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
    fc.property(
      manifests,
      versions,
      fc.array(write, { minLength: 2, maxLength: 4 }),
      (manifest, version, chain) => {
        const first = applyApiDefaults(created(manifest, version));
        let live = first;
        for (const step of chain)
          live = applyApiDefaults(updated(applyApiDefaults(step(manifest, live, manifest)), live));
        assert.deepEqual(live.spec, first.spec);
      },
    ),
    runs(150),
  );
});
