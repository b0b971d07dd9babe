import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { Document, visit } from 'yaml';
import { clone, type Json, type JsonObject } from '../../hardening/tree.ts';
import { CliError } from '../errors.ts';
import { documentsOf } from './document.ts';
import { writeSchema } from './schema.ts';

const only = (text: string) => {
  const [document, ...others] = documentsOf({ name: 'test.yaml', text });
  assert.ok(document);
  assert.equal(others.length, 0);
  return document;
};

const change = (text: string, edit: (value: JsonObject) => void): string => {
  const document = only(text);
  const next = clone(document.value) as JsonObject;
  edit(next);
  const result = document.withValue(next);
  assert.deepEqual(only(result).value, next);
  return result;
};

const refusal = (text: string): CliError => {
  try {
    documentsOf({ name: 'test.yaml', text });
  } catch (error) {
    assert.ok(error instanceof CliError);
    return error;
  }
  throw new assert.AssertionError({ message: 'nothing was refused' });
};

suite('values are read as kubectl reads them', () => {
  const cases: [string, Json][] = [
    ['yes', true],
    ['Off', false],
    ['y', true],
    ['"yes"', 'yes'],
    ['~', null],
    ['', null],
    ['010', 8],
    ['0o10', 8],
    ['0x1F', 31],
    ['0b101', 5],
    ['-0x10', -16],
    ['1_000', 1000],
    ['08', 8],
    ['1e3', 1000],
    ['.5', 0.5],
    ['1.', 1],
    ['12:30', '12:30'],
    ['2001-01-01', '2001-01-01'],
    ['1.2.3', '1.2.3'],
    ['0x', '0x'],
    ['100m', '100m'],
    ['!!str 010', '010'],
  ];
  for (const [text, value] of cases)
    test(`${JSON.stringify(text)} is ${JSON.stringify(value)}`, () => {
      assert.deepEqual(only(`a: ${text}\n`).value, { a: value });
    });

  test('keys are strings, also where YAML 1.1 sees a boolean or a number', () => {
    assert.deepEqual(only('on: 1\n8080: 2\nn: 3\n').value, { true: 1, 8080: 2, false: 3 } satisfies Json);
  });

  test('aliases and merge keys are resolved, and the own keys of a map win', () => {
    const text = 'base: &b {a: 1, b: 2}\nuse:\n  <<: *b\n  b: 3\nagain: *b\n';
    assert.deepEqual(only(text).value, { base: { a: 1, b: 2 }, use: { a: 1, b: 3 }, again: { a: 1, b: 2 } });
  });
});

suite('a change leaves everything else as it was written', () => {
  const text = `# The orders cluster
apiVersion: apps/v1
kind: StatefulSet   # do not rename
metadata:
    labels: {app: 'kafka'}   # one line


    name: "orders"
spec:
    replicas: 3 # odd
    env:
    # first
    - name: A
      value: "yes"
    - {name: B, value: '1'}
    # - name: C
    command: ["sh", "-c", "exec run"]
    script: |
        line one
          line two
# the end
`;

  test('a new key is put below the last one of its map', () => {
    const result = change(text, (value) => {
      (value['metadata'] as JsonObject)['annotations'] = { note: 'yes', text: '{"a":1}' };
    });
    assert.equal(
      result,
      text.replace(
        `    name: "orders"\n`,
        `    name: "orders"\n    annotations:\n        note: "yes"\n        text: '{"a":1}'\n`,
      ),
    );
  });

  test('a scalar is replaced with its trailing comment kept', () => {
    const result = change(text, (value) => {
      (value['spec'] as JsonObject)['replicas'] = 5;
    });
    assert.equal(result, text.replace('replicas: 3 # odd', 'replicas: 5 # odd'));
  });

  test('an element is appended with the indentation of its sequence', () => {
    const result = change(text, (value) => {
      ((value['spec'] as JsonObject)['env'] as Json[]).push({ name: 'D', value: 'a\nb' });
    });
    const added = `    - name: D\n      value: |-\n          a\n          b\n`;
    assert.equal(
      result,
      text.replace(`    - {name: B, value: '1'}\n`, `    - {name: B, value: '1'}\n${added}`),
    );
  });

  test('an element put before the first one stands above it', () => {
    const result = change(text, (value) => {
      ((value['spec'] as JsonObject)['env'] as Json[]).unshift({ name: 'Z' });
    });
    assert.equal(result, text.replace('    - name: A\n', '    - name: Z\n    - name: A\n'));
  });

  test('a removed element takes only its own lines along', () => {
    const result = change(text, (value) => {
      ((value['spec'] as JsonObject)['env'] as Json[]).pop();
    });
    assert.equal(result, text.replace(`    - {name: B, value: '1'}\n`, ''));
  });

  test('a one-line list stays on one line', () => {
    const result = change(text, (value) => {
      (value['spec'] as JsonObject)['command'] = ['sh', '-c', 'exec other'];
    });
    assert.ok(
      result.includes(`    command: [ "sh", "-c", "exec other" ]`) ||
        result.includes(`command: [sh, -c, exec other]`),
    );
    assert.ok(result.includes('# - name: C'));
  });

  test('a key put below a block of text does not become part of it', () => {
    const result = change(text, (value) => {
      (value['spec'] as JsonObject)['grace'] = 360;
    });
    assert.equal(result, text.replace('line two\n', 'line two\n    grace: 360\n'));
  });

  test('an empty map in braces becomes a block', () => {
    const result = change('a:\n  b: {} # nothing yet\n', (value) => {
      (value['a'] as JsonObject)['b'] = { c: 1 };
    });
    assert.equal(result, 'a:\n  b: # nothing yet\n    c: 1\n');
  });

  test('nothing is written where nothing changed', () => {
    assert.equal(only(text).withValue(clone(only(text).value)), text);
  });

  test('line ends, byte order mark and a missing last line end are kept', () => {
    const windows = '\uFEFFa: 1\r\nb:\r\n  - x # c\r\n  - y';
    const result = change(windows, (value) => {
      (value['b'] as Json[]).push({ k: 'l1\nl2', m: 2 });
      value['c'] = true;
    });
    assert.equal(
      result,
      '\uFEFFa: 1\r\nb:\r\n  - x # c\r\n  - y\r\n  - k: |-\r\n      l1\r\n      l2\r\n    m: 2\r\nc: true',
    );
  });

  test('an alias is written out where its value changes, and the anchor stays', () => {
    const result = change('a: &l\n  app: kafka # name\nb: *l\nc: *l\n', (value) => {
      value['c'] = { app: 'kafka', node: 'x' };
    });
    assert.equal(result, 'a: &l\n  app: kafka # name\nb: *l\nc:\n  app: kafka\n  node: x\n');
  });

  test('aliases are written out where the value under their anchor changes', () => {
    const result = change('a: &l\n  app: kafka # name\nb: *l\nc:\n  <<: *l\n  d: 1 # one\n', (value) => {
      (value['a'] as JsonObject)['node'] = 'x';
    });
    assert.equal(
      result,
      'a: &l\n  app: kafka # name\n  node: x\nb:\n  app: kafka\nc:\n  d: 1 # one\n  app: kafka\n',
    );
  });

  test('a document in braces that is not JSON is written anew, below the comments above it', () => {
    const result = change('# kept\n---\n{a: 1, b: [x]}\n', (value) => {
      value['c'] = 'yes';
    });
    assert.equal(result, '# kept\n---\na: 1\nb:\n- x\nc: "yes"\n');
  });

  test('JSON stays JSON with its indentation', () => {
    const result = change('{\n\t"a": 1,\n\t"b": [1]\n}\n', (value) => {
      value['c'] = 2;
    });
    assert.equal(result, '{\n\t"a": 1,\n\t"b": [\n\t\t1\n\t],\n\t"c": 2\n}\n');
  });
});

suite('documents', () => {
  test('the texts of all documents in a row are the file', () => {
    const text =
      '%YAML 1.1\n---\na: 1\n--- # two\n# only a comment\n---\nb: 2\n...\n# between\n---\nc: |\n  x\n\n';
    const documents = documentsOf({ name: 'test.yaml', text });
    assert.equal(documents.map((document) => document.text).join(''), text);
    assert.deepEqual(
      documents.map(({ value }) => value),
      [{ a: 1 }, null, { b: 2 }, { c: 'x\n' }],
    );
  });

  test('a file without any document is one empty document', () => {
    for (const text of ['', '\n', '# nothing\n', '\uFEFF']) {
      const document = only(text);
      assert.equal(document.value, null);
      assert.equal(document.text, text);
    }
  });

  test('lines are found by JSON pointer, through aliases too', () => {
    const document = only('a:\n  - x: 1\n  - &y\n    z: 2\nb: *y\n');
    assert.equal(document.lineOf('/a/1/z'), 4);
    assert.equal(document.lineOf('/b/z'), 4);
    assert.equal(document.lineOf('/a/1/missing'), 4);
    assert.equal(document.lineOf('/nothing'), 1);
  });
});

suite('what cannot be read is refused with file, document and line', () => {
  test('a key that stands twice', () => {
    const error = refusal('a: 1\n---\nb:\n  c: 1\n  c: 2\n');
    assert.equal(error.code, 'invalid-yaml');
    assert.equal(
      error.message,
      'test.yaml, document 2, line 5: the key c stands twice in the same object; remove one.',
    );
  });

  test('a tab as indentation', () => {
    const error = refusal('a:\n\tb: 1\n');
    assert.equal(error.code, 'invalid-yaml');
    assert.match(error.message, /line 2: .*[Tt]ab/);
  });

  test('endless nesting, also by an alias in itself', () => {
    for (const text of [`a: ${'['.repeat(50_000)}`, `a: ${'{a: '.repeat(50_000)}`, 'a: &a [*a]\n']) {
      const error = refusal(text);
      assert.equal(error.code, 'invalid-yaml');
      assert.match(error.message, /nested too deeply/);
    }
  });

  test('a Helm template, in places where it breaks the syntax and where it does not', () => {
    for (const text of [
      'metadata:\n  name: {{ .Release.Name }}\n',
      'metadata:\n  name: a\n{{- if .Values.x }}\nspec: {}\n{{- end }}\n',
      'labels:\n{{ include "labels" . | indent 2 }}\n',
    ]) {
      const error = refusal(text);
      assert.equal(error.code, 'helm-template', text);
      assert.match(error.message, /line \d+: .*helm template/);
    }
  });

  test('an alias without an anchor and a bomb of aliases', () => {
    assert.equal(refusal('a: *missing\n').code, 'invalid-yaml');
    const bomb = Array.from({ length: 30 }, (_, i) =>
      i === 0 ? 'a0: &a0 [x,x]' : `a${i}: &a${i} [*a${i - 1},*a${i - 1}]`,
    ).join('\n');
    assert.match(refusal(bomb).message, /aliases multiply/);
  });
});

const key = fc.constantFrom('a', 'b', 'name', 'on', 'value', 'x-y', '8', 'a b', 'null', '# c', '');
const scalar: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    'yes',
    '010',
    '',
    ' x ',
    'a: b',
    '# no',
    'l1\nl2',
    'l1\n\n  l2\n\n',
    '- x',
    '{{',
    "it's",
    '"q"',
    '\t',
    '2001-01-01',
    '~',
    null,
    true,
  ),
  fc.string(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(key, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.record({ name: fc.constantFrom('p', 'q', 'r', 's'), value: tie('tree') }), { maxLength: 4 }),
  ),
}));
const root = fc.dictionary(key, tree, { minKeys: 1, maxKeys: 5, noNullPrototype: true });

/** Numbers that look random and follow from a seed. */
const drawsOf = (seed: number) => {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor(state / 65536);
  };
};

/** A value and how its text is to be written: indentation, line ends, and a seed for flow style and comments. */
const written = fc.tuple(root, fc.nat(), fc.constantFrom(2, 4), fc.boolean(), fc.constantFrom('\n', '\r\n'));

type Written = readonly [JsonObject, number, number, boolean, string];

const textOf = ([value, seed, indent, indentSeq, eol]: Written): string => {
  const draw = drawsOf(seed);
  const document = new Document(value, null, { schema: writeSchema, aliasDuplicateObjects: false });
  visit(document, {
    Collection: (where, node) => {
      const drawn = draw() % 10;
      if (drawn === 0 && where !== null) node.flow = true;
    },
    Scalar: (where, node) => {
      const drawn = draw() % 10;
      if (drawn === 1 && where === 'value') node.comment = ' a comment';
      if (drawn === 2 && typeof node.value === 'string') node.type = 'QUOTE_DOUBLE';
      if (drawn === 3 && where === 'key') node.commentBefore = ' before';
      if (drawn === 4) node.spaceBefore = true;
    },
  });
  return document.toString({ indent, indentSeq, lineWidth: 0 }).replaceAll('\n', eol);
};

/** The mutations of a value: what a hardening or its inverse might do, and worse. */
const mutated = (value: Json, choose: () => number): Json => {
  const drawn = choose() % 10;
  if (drawn === 0) return choose();
  if (drawn === 1) return { added: [choose(), { name: 'n' }], text: 'yes\nno' };
  if (Array.isArray(value)) {
    const items = value.map((item) => mutated(item, choose));
    if (drawn === 2) items.push({ name: 'new', value: 'v' });
    if (drawn === 3) items.splice(choose() % (items.length + 1), 1);
    if (drawn === 4) items.splice(choose() % (items.length + 1), 0, { name: 'put', list: ['x'] });
    return items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(() => choose() % 8 !== 0);
  const object: JsonObject = Object.fromEntries(entries.map(([k, v]) => [k, mutated(v, choose)]));
  if (drawn < 6) object[`new${choose() % 3}`] = drawn === 5 ? { deep: { er: ['a', 'b'] } } : 'on';
  return object;
};

suite('properties', () => {
  test('a text read, changed and written has the new value, whatever the style', () => {
    fc.assert(
      fc.property(written, fc.nat(), (sample, seed) => {
        const text = textOf(sample);
        const document = only(text);
        const value = document.value;
        const next = mutated(value, drawsOf(seed));
        assert.deepEqual(only(document.withValue(next)).value, JSON.parse(JSON.stringify(next)));
        assert.equal(document.withValue(value), text);
      }),
      { numRuns: 400 },
    );
  });

  test('a key added to the document and removed again leaves the text as it was', () => {
    fc.assert(
      fc.property(written, tree, (sample, value) => {
        const text = textOf(sample);
        const before = only(text);
        const added = only(before.withValue({ ...(before.value as JsonObject), 'kafka-warden': value }));
        assert.equal(added.withValue(before.value), text);
      }),
      { numRuns: 300 },
    );
  });
});
