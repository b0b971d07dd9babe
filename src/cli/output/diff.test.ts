import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { unifiedDiff } from './diff.ts';

const diff = (a: string, b: string) => unifiedDiff({ name: 'a', text: a }, { name: 'b', text: b });

test('equal texts have no diff', () => {
  assert.equal(diff('x\n', 'x\n'), '');
});

test('a change is shown with three lines around it, far ones apart', () => {
  const before = Array.from({ length: 20 }, (_, i) => `l${i + 1}\n`).join('');
  const after = before.replace('l2\n', 'two\n').replace('l18\n', '');
  assert.equal(
    diff(before, after),
    `--- a
+++ b
@@ -1,5 +1,5 @@
 l1
-l2
+two
 l3
 l4
 l5
@@ -15,6 +15,5 @@
 l15
 l16
 l17
-l18
 l19
 l20
`,
  );
});

test('a missing last line end is shown', () => {
  assert.equal(diff('a\n', 'a'), '--- a\n+++ b\n@@ -1,1 +1,1 @@\n-a\n+a\n\\ No newline at end of file\n');
});

const hasPatch = spawnSync('patch', ['--version']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'kafka-warden-diff-'));
after(() => rmSync(folder, { recursive: true }));

test(
  'patch(1) turns the first text into the second one, whatever they are',
  { skip: hasPatch ? false : 'no patch program here' },
  () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', 'c', '', ' d'), { maxLength: 12 })
      .map((lines) => lines.map((line) => `${line}\n`).join(''));
    fc.assert(
      fc.property(text, text, (a, b) => {
        fc.pre(a !== '' && b !== '');
        const file = join(folder, 'file');
        writeFileSync(file, a);
        const { status, stdout } = spawnSync('patch', ['-s', '-N', file], {
          input: diff(a, b),
          encoding: 'utf8',
        });
        assert.ok(a === b || status === 0, stdout);
        assert.equal(readFileSync(file, 'utf8'), b);
      }),
      { numRuns: 100 },
    );
  },
);

test('a diff is as short as the shortest edit', () => {
  const small = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 });
  const common = (a: string[], b: string[]): number => {
    if (a.length === 0 || b.length === 0) return 0;
    const [x, ...as] = a;
    const [y, ...bs] = b;
    return x === y ? 1 + common(as, bs) : Math.max(common(as, b), common(a, bs));
  };
  fc.assert(
    fc.property(small, small, (a, b) => {
      const text = (lines: string[]) => lines.map((line) => `${line}\n`).join('');
      const changed = diff(text(a), text(b))
        .split('\n')
        .filter((line) => /^[-+](?![-+]{2} )/.test(line)).length;
      assert.equal(changed, a.length + b.length - 2 * common(a, b));
    }),
  );
});
