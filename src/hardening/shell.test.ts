import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { commandsOf } from './shell.ts';

const words = (script: string) => commandsOf(script).map((c) => c.words.map((w) => w.text));

test('commands end with a line, a semicolon, an operator or a parenthesis', () => {
  assert.deepEqual(words('a 1; b 2 && c 3 || d 4 | e 5 & (f 6)\ng'), [
    ['a', '1'],
    ['b', '2'],
    ['c', '3'],
    ['d', '4'],
    ['e', '5'],
    ['f', '6'],
    ['g'],
  ]);
});

test('quotes, escapes and substitutions keep a word together', () => {
  assert.deepEqual(words(`a 'b c' "d $(e "f;g") h" i\\ j \${K:-l m} \`n; o\` $((1 + 2))`), [
    ['a', 'b c', 'd $(e "f;g") h', 'i j', '${K:-l m}', '`n; o`', '$((1 + 2))'],
  ]);
});

test('comments and continued lines are no words', () => {
  assert.deepEqual(words('a b # c; d\n# e\nf \\\n  g #h'), [
    ['a', 'b'],
    ['f', 'g'],
  ]);
  assert.deepEqual(words('echo a#b'), [['echo', 'a#b']]);
});

test('words of control stand before the command that they lead to', () => {
  assert.deepEqual(words('if ! a; then b; else c; fi'), [['a'], ['b'], ['c'], ['fi']]);
});

test('here-documents belong to their command, and are not read as commands', () => {
  const [cat, next] = commandsOf('cat > /tmp/x <<EOF\na; b\n$c\nEOF\nnext');
  assert.deepEqual(cat?.documents, [{ body: 'a; b\n$c', literal: false }]);
  assert.deepEqual(cat.outputs, ['/tmp/x']);
  assert.deepEqual(
    next?.words.map((w) => w.text),
    ['next'],
  );
  const [quoted] = commandsOf("cat <<-'END'\n\ta\n\tEND\n");
  assert.deepEqual(quoted?.documents, [{ body: '\ta', literal: true }]);
  assert.deepEqual(words('cat <<<"a b"; c'), [['cat'], ['c']]);
});

test('every word stands where it says, and nothing makes it throw', () => {
  const scripts = fc.array(
    fc.constantFrom(
      'a',
      ' ',
      '\n',
      ';',
      '&&',
      '|',
      '(',
      ')',
      '{',
      '"',
      "'",
      '`',
      '$(',
      '${',
      '\\',
      '#',
      '<<E\n',
      'E\n',
      '>',
      '=',
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(scripts, (parts) => {
      const script = parts.join('');
      for (const { words: found } of commandsOf(script))
        for (const { start, end } of found) {
          assert.ok(start < end && end <= script.length + 1);
          assert.match(script.slice(start, end), /\S/);
        }
    }),
    { numRuns: 2_000 },
  );
});
