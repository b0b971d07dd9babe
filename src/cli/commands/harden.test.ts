import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { harden, type StatefulSet } from '../../hardening/index.ts';
import { withoutDefaults } from '../../hardening/defaults.ts';
import { manifests } from '../../hardening/test/arbitrary.ts';
import type { JsonObject } from '../../hardening/tree.ts';
import { documentsOf } from '../manifest/document.ts';
import { block } from '../manifest/render.ts';
import { file, folder, kafkaWarden, plainKafka } from '../test/session.ts';

const plain = file('kafka.yaml', plainKafka);

const values = (text: string) => documentsOf({ name: 'output', text }).map(({ value }) => value);

const setIn = (text: string) =>
  values(text).find((value) => (value as JsonObject)['kind'] === 'StatefulSet') as unknown as StatefulSet;

suite('harden', () => {
  test('prints the hardened set, and the value is what the core says', async () => {
    const { code, out } = await kafkaWarden('harden', '-f', plain, '-n', 'shop');
    assert.equal(code, 0);
    assert.deepEqual(setIn(out), harden(setIn(plainKafka), { namespace: 'shop' }).workload);
  });

  test('keeps comments, key order, quotes and every other document as they were', async () => {
    const { out } = await kafkaWarden('harden', '-f', plain);
    for (const kept of [
      '# The orders cluster, three brokers\n',
      'clusterIP: None   # headless\n',
      'replicas: 3 # odd\n',
      'image: "apache/kafka:4.1.0"\n',
      '            # a day\n            - name: KAFKA_LOG_RETENTION_HOURS\n              value: "24"\n',
    ])
      assert.ok(out.includes(kept), kept);
    assert.ok(out.endsWith(plainKafka.slice(plainKafka.indexOf('---\n# not ours'))));
  });

  test('a line of the input is changed or gone only where its value has changed', async () => {
    const { out } = await kafkaWarden('harden', '-f', plain);
    const lines = new Set(out.split('\n'));
    const gone = plainKafka.split('\n').filter((line) => !lines.has(line));
    assert.deepEqual(gone, [
      '      labels: {app: kafka}',
      '      terminationGracePeriodSeconds: 30 # the default',
    ]);
  });

  test('hardens the headless Service that governs the set, wherever it stands in the input', async () => {
    const { out } = await kafkaWarden('harden', '-f', plain);
    const [service] = values(out) as { spec: { publishNotReadyAddresses?: boolean } }[];
    assert.equal(service?.spec.publishNotReadyAddresses, true);
  });

  test('creates a set under a Service of its own where the one in the input has an address', async () => {
    const [service = '', set = ''] = plainKafka
      .replace('  clusterIP: None   # headless\n', '')
      .split('---\n');
    for (const [name, text] of Object.entries({
      before: `${service}---\n${set}`,
      after: `${set}---\n${service}`,
    })) {
      const { out, err } = await kafkaWarden('harden', '-f', file(`address-${name}.yaml`, text));
      assert.equal(setIn(out).spec?.serviceName, 'kafka-nodes', name);
      assert.ok(out.includes(service), name);
      assert.match(err, /Service kafka is not headless/);
      const again = await kafkaWarden('harden', '-f', file(`address-${name}-again.yaml`, out));
      assert.equal(again.out, out, name);
    }
  });

  test('refuses node ids that an earlier set of the cluster has in the input, and takes an offset', async () => {
    const set = plainKafka.split('---\n')[1] ?? '';
    const more = (annotation: string) =>
      set
        .replace('  name: kafka\n', `  name: more\n  annotations: {${annotation}}\n`)
        .replace('{app: kafka}', '{app: kafka, kafka-warden.io/cluster: kafka}')
        .replace(
          '          env:\n',
          '          env:\n            - {name: KAFKA_PROCESS_ROLES, value: broker}\n',
        );
    const taken = await kafkaWarden('harden', '-f', file('taken.yaml', `${set}---\n${more('')}`));
    assert.equal(taken.code, 3, taken.err);
    assert.match(taken.err, /StatefulSet kafka of the cluster kafka has the node ids 0 to 2/);
    const offset = more('kafka-warden.io/id-offset: "100"');
    const free = await kafkaWarden('harden', '-f', file('free.yaml', `${set}---\n${offset}`));
    assert.equal(free.code, 0, free.err);
    const again = await kafkaWarden('harden', '-f', file('free-again.yaml', free.out));
    assert.equal(again.out, free.out);
  });

  test('leaves out what a directory holds beside manifests, and says so', async () => {
    const { out } = await kafkaWarden('harden', '-f', folder('manifests', { 'kafka.yaml': plainKafka }));
    const mixed = folder('mixed', {
      'docker-compose.yml': 'services: {kafka: {image: apache/kafka}}\n',
      'kafka.yaml': plainKafka,
      'kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n',
      'list.json': '[1]',
      'values.yaml': 'replicas: 3\n',
    });
    const { code, out: printed, err } = await kafkaWarden('harden', '-f', mixed);
    assert.equal(code, 0, err);
    assert.equal(printed, out);
    for (const name of ['docker-compose.yml', 'kustomization.yaml', 'list.json', 'values.yaml'])
      assert.match(err, new RegExp(`^Left out.*/${name}`), name);
    const named = await kafkaWarden('harden', '-f', `${mixed}/values.yaml`);
    assert.deepEqual([named.code, named.out], [2, '']);
  });

  test('takes no half an object in a directory for something else', async () => {
    const broken = folder('broken', { 'kafka.yaml': plainKafka, 'typo.yaml': 'kind: Service\n' });
    const { code, err } = await kafkaWarden('harden', '-f', broken);
    assert.equal(code, 2);
    assert.match(err, /typo\.yaml, document 1, line 1: the object has no apiVersion/);
  });

  test('leaves a Service of another namespace alone', async () => {
    const elsewhere = file(
      'elsewhere.yaml',
      plainKafka.replace('  name: kafka\n', '  name: kafka\n  namespace: other\n'),
    );
    const { out } = await kafkaWarden('harden', '-f', elsewhere);
    assert.doesNotMatch(out, /publishNotReadyAddresses/);
  });

  test('changes nothing in what it has printed', async () => {
    const once = await kafkaWarden('harden', '-f', plain);
    const twice = await kafkaWarden('harden', '-f', file('hardened.yaml', once.out));
    assert.equal(twice.code, 0);
    assert.equal(twice.out, once.out);
  });

  test('prints a unified diff with --diff', async () => {
    const { out } = await kafkaWarden('harden', '-f', plain, '--diff');
    assert.match(out, /^--- .*kafka\.yaml\n\+\+\+ .*kafka\.yaml \(hardened\)\n@@ /);
    assert.match(
      out,
      /^- {6}terminationGracePeriodSeconds: 30 # the default\n\+ {6}terminationGracePeriodSeconds: 360 # the default$/m,
    );
  });

  test('prints operations of JSON Patch with the rule that asked for each', async () => {
    const single = file('single.yaml', plainKafka.split('---\n')[1] ?? '');
    const { out } = await kafkaWarden('harden', '-f', single, '-o', 'json-patch');
    const patch = JSON.parse(out) as { op: string; path: string; rule: string }[];
    assert.deepEqual(
      patch,
      JSON.parse(JSON.stringify(harden(setIn(plainKafka), { namespace: 'default' }).patch)),
    );
    assert.ok(patch.length > 5 && patch.every(({ op, path, rule }) => op && path && rule));
  });

  test('prints JSON: one object as itself, several as a List', async () => {
    const all = await kafkaWarden('harden', '-f', plain, '-o', 'json');
    const list = JSON.parse(all.out) as { kind: string; items: { kind: string }[] };
    assert.equal(list.kind, 'List');
    assert.deepEqual(
      list.items.map(({ kind }) => kind),
      ['Service', 'StatefulSet', 'ConfigMap'],
    );
  });

  test('hardens the items of a List one by one, and JSON stays JSON', async () => {
    const items = values(plainKafka);
    const list = file(
      'list.json',
      `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, undefined, 4)}\n`,
    );
    const { code, out } = await kafkaWarden('harden', '-f', list);
    assert.equal(code, 0);
    const printed = JSON.parse(out) as { items: StatefulSet[] };
    assert.deepEqual(printed.items[1], harden(setIn(plainKafka), { namespace: 'default' }).workload);
    assert.match(out, /^\{\n {4}"apiVersion"/);
  });

  test('takes several files and prints them as one stream', async () => {
    const [service = '', set = '', map = ''] = plainKafka.split('---\n');
    const names = [
      '-f',
      file('1.yaml', service),
      '-f',
      file('2.yaml', set.trimEnd()),
      '-f',
      file('3.yaml', map),
    ];
    const { out } = await kafkaWarden('harden', ...names);
    const together = await kafkaWarden('harden', '-f', plain);
    assert.deepEqual(values(out), values(together.out));
  });

  test('a set in strict mode with an unsafe value is refused, and nothing is printed', async () => {
    const unsafe = file('unsafe.yaml', plainKafka.replace('Seconds: 30', 'Seconds: 20'));
    const { code, out, err } = await kafkaWarden('harden', '-f', plain, '-f', unsafe, '--strict');
    assert.equal(code, 3);
    assert.equal(out, '');
    assert.match(err, /StatefulSet default\/kafka refused/);
    assert.match(err, /refused {2}shutdown: .*20/);
    assert.match(err, /Nothing is printed/);
  });

  test('a set that cannot be read is refused with the place of the mistake', async () => {
    const broken = file('broken.yaml', plainKafka.replace('value: "24"', 'value: 24'));
    const { code, out, err } = await kafkaWarden('harden', '-f', broken);
    assert.equal(code, 3);
    assert.equal(out, '');
    assert.match(err, /malformed: .*env\/0\/value/);
  });

  test('what is no Kafka, opted out or empty passes through byte for byte', async () => {
    for (const text of [
      'apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  template:\n    spec:\n      containers:\n      - {name: db,   image: postgres:17}\n',
      plainKafka
        .replace(
          'labels: {app: kafka}\nspec:\n  serviceName',
          'labels: {kafka-warden.io/ignore: "true"}\nspec:\n  serviceName',
        )
        .trimEnd(),
      '# only a comment\r\n',
      '',
      '\uFEFF---\n---\n# two\n',
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}',
    ]) {
      const { code, out } = await kafkaWarden('harden', '-f', file('same.yaml', text));
      assert.equal(code, 0);
      assert.equal(out, text);
    }
  });

  test('a namespace that contradicts the object is an error, not a guess', async () => {
    const named = file(
      'named.yaml',
      plainKafka.replaceAll('  name: kafka\n', '  name: kafka\n  namespace: shop\n'),
    );
    const { code, err } = await kafkaWarden('harden', '-f', named, '-n', 'other');
    assert.equal(code, 2);
    assert.match(err, /line \d+: the object names the namespace shop, --namespace says other/);
  });
});

suite('what cannot be read ends with 2 and names file, document and line', () => {
  const cases: [string, string | Uint8Array, RegExp][] = [
    ['syntax', 'a: 1\n---\nb: [1\n', /document 2, line \d+/],
    [
      'an old API version',
      plainKafka.replace('apps/v1', 'apps/v1beta1'),
      /document 2, line 12: .*write apps\/v1/,
    ],
    ['no kind', 'apiVersion: v1\n', /document 1, line 1: the object has no kind/],
    ['a bare list', '- a\n', /this is not a Kubernetes object/],
    [
      'no name',
      plainKafka.replace('  name: kafka\n  labels', '  labels'),
      /document 2, line \d+: .*no metadata\.name/,
    ],
    [
      'a quoted template',
      plainKafka.replace('apache/kafka:4.1.0', '{{ .Values.image }}'),
      /line 29: .*helm template/,
    ],
    [
      'bytes that are not UTF-8',
      Uint8Array.of(97, 58, 32, 49, 10, 98, 58, 32, 0xff, 10),
      /line 2: a byte is not UTF-8/,
    ],
    ['UTF-16', Uint8Array.of(0xff, 0xfe, 97, 0), /UTF-16; save it as UTF-8/],
  ];
  for (const [what, content, message] of cases)
    test(what, async () => {
      const { code, out, err } = await kafkaWarden('harden', '-f', file('bad.yaml', content));
      assert.equal(code, 2, err);
      assert.equal(out, '');
      assert.match(err, /^error: \S*bad\.yaml/);
      assert.match(err, message);
    });

  test('a missing file, a directory without manifests, no input at all', async () => {
    assert.match(
      (await kafkaWarden('harden', '-f', '/no/such.yaml')).err,
      /\/no\/such\.yaml: cannot be read: there is no such file/,
    );
    assert.match((await kafkaWarden('harden', '-f', '/proc/self/task')).err, /holds no \.yaml/);
    const none = await kafkaWarden('harden');
    assert.equal(none.code, 2);
    assert.match(none.err, /-f FILE/);
  });

  test('an unknown option or value', async () => {
    assert.equal((await kafkaWarden('harden', '--no-such')).code, 2);
    assert.equal((await kafkaWarden('harden', '-f', plain, '--mode', 'soft')).code, 2);
    assert.equal((await kafkaWarden('harden', '-f', plain, '-n', 'Not A Name')).code, 2);
  });
});

suite('unharden', () => {
  test('gives back the text that was hardened; only the Service keeps what it gained', async () => {
    const hardened = await kafkaWarden('harden', '-f', plain);
    const { code, out } = await kafkaWarden('unharden', '-f', file('h.yaml', hardened.out));
    assert.equal(code, 0);
    assert.equal(
      out
        .replace('  publishNotReadyAddresses: true\n', '')
        .replace('      terminationGracePeriodSeconds: 30 # the default\n', ''),
      plainKafka.replace('      terminationGracePeriodSeconds: 30 # the default\n', ''),
    );
  });

  test('leaves what is not hardened as it is', async () => {
    assert.equal((await kafkaWarden('unharden', '-f', plain)).out, plainKafka);
  });
});

suite('properties', () => {
  const shape = fc.record({ step: fc.constantFrom(2, 4), sequences: fc.boolean() });

  test('the printed value is the core’s, printing is stable, and unharden undoes it', async () => {
    await fc.assert(
      fc.asyncProperty(manifests, shape, async (set, style) => {
        const whole = { ...(set as unknown as JsonObject), apiVersion: 'apps/v1', kind: 'StatefulSet' };
        const vanilla = JSON.parse(JSON.stringify(whole)) as JsonObject;
        const text = `# above\n${block(vanilla, style)}\n`;
        const once = await kafkaWarden(
          'harden',
          '-f',
          file('any.yaml', text),
          '-n',
          vanillaNamespace(vanilla),
        );
        const expected = harden(vanilla, { namespace: vanillaNamespace(vanilla) });
        assert.equal(once.code, 0, once.err);
        const printed = setIn(once.out);
        assert.deepEqual(printed, JSON.parse(JSON.stringify(expected.workload)));
        assert.ok(once.out.startsWith('# above\n'));

        const twice = await kafkaWarden('harden', '-f', file('once.yaml', once.out));
        assert.equal(twice.out, once.out);

        const back = await kafkaWarden('unharden', '-f', file('once.yaml', once.out));
        const defaulted = (value: unknown) => withoutDefaults(value as JsonObject);
        assert.deepEqual(defaulted(setIn(back.out)), defaulted(vanilla));
        assert.deepEqual(explicitDefaults(setIn(back.out)), explicitDefaults(printed));
      }),
      { numRuns: 60 },
    );
  });
});

/** The variables that the author set to the empty string, which is the default. */
const explicitDefaults = (set: unknown): (string | undefined)[] =>
  ((set as StatefulSet).spec?.template.spec?.containers ?? []).flatMap(({ env = [] }) =>
    env.filter(({ value }) => value === '').map(({ name }) => name),
  );

const vanillaNamespace = (set: JsonObject): string =>
  ((set['metadata'] as JsonObject | undefined)?.['namespace'] as string | undefined) ?? 'default';
