import type { RuleDoc } from '../hardening/model.ts';

/** Text in a cell of a Markdown table: no line ends, no bars, and nothing that would be read as HTML. */
const cell = (text: string): string =>
  text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*');

/** All rules as a Markdown table, by id. */
export function ruleTable(rules: Readonly<Record<string, RuleDoc>>): string {
  const rows = Object.values(rules)
    .toSorted((a, b) => a.id.localeCompare(b.id))
    .map(
      ({ id, severity, title, remedy }) => `| \`${id}\` | ${severity} | ${cell(title)} | ${cell(remedy)} |`,
    );
  return ['| rule | severity | what | remedy |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}
