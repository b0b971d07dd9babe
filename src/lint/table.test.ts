import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { format, resolveConfig } from 'prettier';
import { allRules } from './index.ts';
import { ruleTable } from './table.ts';

const path = resolve(import.meta.dirname, '../../docs/lint.md');
const [begin, end] = ['<!-- rules -->', '<!-- end of rules -->'];

/** `UPDATE_DOCS=1` writes the table. */
test('docs/lint.md lists every rule with its severity, what it wants and what to do', async () => {
  const text = readFileSync(path, 'utf8');
  const [before = '', rest = ''] = text.split(begin);
  const after = rest.split(end)[1] ?? '';
  const wanted = `${before}${begin}\n\n${ruleTable(allRules)}\n${end}${after}`;
  const options = { ...(await resolveConfig(path)), filepath: path };
  const formatted = await format(wanted, options);
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(path, formatted);
  assert.equal(readFileSync(path, 'utf8'), formatted, 'run with UPDATE_DOCS=1 and read what it writes');
});

test('every rule says why, and what to do', () => {
  for (const { id, title, why, remedy } of Object.values(allRules)) {
    assert.match(id, /^[a-z]+(-[a-z]+)*$/);
    assert.ok(title.length > 10 && why.length > 40 && remedy.length > 8, id);
  }
});
