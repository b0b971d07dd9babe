import { minimumText } from './minimum.ts';
import { flowMatrix, loadChart, TITLES } from './charts.ts';
import type { ClusterModel, PartitionModel } from './model.ts';
import type { Plan } from './planner.ts';
import { RESOURCES } from './problem.ts';
import type { Summary } from './summary.ts';
import type { TopicPile } from './topics.ts';

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
const percent = (x: number, digits = 2): string => `${(100 * x).toFixed(digits)}%`;

/** A size in MB for people: MB, GB or TB with three figures. */
function data(megabytes: number): string {
  if (megabytes >= 1e6) return `${(megabytes / 1e6).toPrecision(3)} TB`;
  if (megabytes === 0) return '–';
  return megabytes >= 1e3 ? `${(megabytes / 1e3).toPrecision(3)} GB` : `${megabytes.toFixed(0)} MB`;
}

const STYLE = `
:root { color-scheme: light; --ink: #1c2330; --faint: #667; --line: #d8dce4; --before: #b9c0cc; --after: #1f6feb; --out: #c4320a; --band: #dff0e3; --empty: #f3f4f7 }
body { font: 14px/1.45 system-ui, sans-serif; color: var(--ink); max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem; break-after: avoid }
dl { display: grid; grid-template-columns: max-content auto; gap: .2rem 1.2rem } dt { color: var(--faint) } dd { margin: 0 }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1.2rem }
figure { margin: 0; break-inside: avoid } figcaption { font-weight: 600; margin-bottom: .3rem }
svg { width: 100%; height: auto; display: block; print-color-adjust: exact; -webkit-print-color-adjust: exact }
svg text { font: 9px system-ui, sans-serif; fill: var(--faint) }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .85rem }
th, td { text-align: right; padding: .15rem .5rem; border-bottom: 1px solid var(--line) } th:first-child, td:first-child { text-align: left }
tr { break-inside: avoid } .lead { font-size: 1.05rem; max-width: 50rem } .flows svg { margin-top: .4rem } b.to { color: var(--after) }
.key i { display: inline-block; width: .9em; height: .9em; margin: 0 .3em 0 1em; vertical-align: -.1em }
@media print { body { margin: 0; max-width: none; font-size: 10pt } @page { size: A4; margin: 14mm } .charts { grid-template-columns: 1fr 1fr 1fr; gap: .8rem } h2 { margin-top: 1.2rem } thead { display: table-header-group } table { font-size: 8pt } }
`;

const pile = (at: TopicPile | undefined): string =>
  at === undefined
    ? 'none'
    : `${at.replicas} replicas of ${at.topic} on broker ${at.broker}, evenly ${at.evenly.toFixed(1)}`;

function facts(summary: Summary): string {
  const rows: [string, string][] = [
    ['Data moved', `${data(summary.movedMB)}, ${percent(summary.movedShare)} of ${data(summary.totalMB)}`],
    [
      'Proven minimum',
      `${minimumText(summary, { share: (share) => percent(share), ratio: (ratio) => ratio.toFixed(3) })}; from the disk alone ${percent(summary.diskBoundShare)}`,
    ],
    ['Replica copies', String(summary.replicaMoves)],
    ['Leader changes', `${summary.leaderChanges}, of which ${summary.reorderings} without a copy`],
    ['Partitions changed', String(summary.partitionsChanged)],
    ['Band', `±${percent(summary.tolerance, 0)} around the average for each unit of capacity`],
    ['Worst spread of a topic', `${pile(summary.topicPileBefore)}; after: ${pile(summary.topicPileAfter)}`],
    ['Mode', summary.mode],
  ];
  return `<dl>${rows.map(([name, value]) => `<dt>${name}</dt><dd>${escape(value)}</dd>`).join('')}</dl>`;
}

function obstacles(summary: Summary): string {
  if (summary.obstacles.length === 0) return '';
  const items = summary.obstacles.map(
    (o) => `<li><b>${escape(o.kind)}</b>: ${escape(o.proof)}. ${escape(o.remedy)}.</li>`,
  );
  return `<h2>Goals out of reach</h2><ul>${items.join('')}</ul>`;
}

/** The most brokers, and the most moves, listed one by one; the rest is in the plan file. */
const LISTED = 200;

const list = (heads: readonly string[], rows: readonly string[]): string =>
  `<table><thead><tr>${heads.map((h) => `<th>${h}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
const largest = (count: number, what: string): string =>
  count > LISTED ? `<p>The ${LISTED} ${what} of ${count}.</p>` : '';

function brokersTable(summary: Summary): string {
  const shown = [...summary.brokers];
  if (shown.length > LISTED) shown.sort((a, b) => b.inMB + b.outMB - a.inMB - a.outMB || a.id - b.id);
  const rows = shown.slice(0, LISTED).map((b) => {
    const loads = RESOURCES.map((r) => `<td>${percent(b.before[r], 0)} → ${percent(b.after[r], 0)}</td>`);
    return `<tr><td>${b.id}</td><td>${data(b.inMB)}</td><td>${data(b.outMB)}</td>${loads.join('')}</tr>`;
  });
  const heads = ['Broker', 'Comes', 'Goes', ...RESOURCES.map((r) => TITLES[r])];
  return `<h2>Each broker</h2>${largest(shown.length, 'brokers with most to copy')}${list(heads, rows)}`;
}

/** A changed partition: what it was, what it becomes, which copies that takes. */
interface Change {
  readonly was: PartitionModel;
  readonly replicas: readonly number[];
  readonly added: readonly number[];
  readonly dropped: readonly number[];
}

function changesOf(model: ClusterModel, plan: Plan): Change[] {
  const before = new Map(model.partitions.map((p) => [`${p.topic}-${p.partition}`, p]));
  return plan.reassignment.partitions.flatMap(({ topic, partition, replicas }) => {
    const was = before.get(`${topic}-${partition}`);
    if (was === undefined) return [];
    const added = replicas.filter((b) => !was.replicas.includes(b));
    return [{ was, replicas, added, dropped: was.replicas.filter((b) => !replicas.includes(b)) }];
  });
}

/** Copies are charged to the replicas that go, as sources, one for one with those that come. */
function flowsOf(changes: readonly Change[]): Map<string, number> {
  const flows = new Map<string, number>();
  for (const { was, added, dropped } of changes)
    added.forEach((to, i) => {
      const key = `${dropped[i] ?? was.leader} ${to}`;
      flows.set(key, (flows.get(key) ?? 0) + was.size);
    });
  return flows;
}

function movesTable(changes: readonly Change[]): string {
  const amount = ({ added, was }: Change): number => added.length * was.size;
  const rows = [...changes].sort((a, b) => amount(b) - amount(a)).slice(0, LISTED);
  const body = rows.map((change) => {
    const { was, replicas, added } = change;
    const after = replicas.map((b) => (added.includes(b) ? `<b class="to">${b}</b>` : String(b))).join(', ');
    return (
      `<tr><td>${escape(was.topic)}-${was.partition}</td><td>${data(amount(change))}</td>` +
      `<td>${was.replicas.join(', ')}</td><td>${after}</td></tr>`
    );
  });
  const heads = ['Partition', 'Data', 'Replicas before', 'after, leader first, <b class="to">copies</b>'];
  return list(heads, body);
}

function moves(model: ClusterModel, plan: Plan): string {
  const changes = changesOf(model, plan);
  if (changes.length === 0) return '<h2>What moves where</h2><p>Nothing.</p>';
  const matrix = flowMatrix(
    plan.summary.brokers.map((b) => b.id),
    flowsOf(changes),
    data,
  );
  return `<h2>What moves where</h2>${matrix}${largest(changes.length, 'largest changes')}${movesTable(changes)}`;
}

function refused({ summary }: Plan): string {
  if (summary.refused.length === 0) return '';
  const items = summary.refused
    .slice(0, LISTED)
    .map((r) => `<li>${escape(r.topic)}-${r.partition}: ${escape(r.reason)}</li>`);
  return `<h2>Left out</h2>${largest(items.length, 'first')}<ul>${items.join('')}</ul>`;
}

/** The plan in a sentence or two, for those who read no further. */
function lead(summary: Summary): string {
  if (!summary.due) return 'Nothing to do: every broker is within the trigger.';
  const sum = (outside: Summary['outsideBefore']): number =>
    RESOURCES.reduce((all, r) => all + outside[r], 0);
  const left = sum(summary.outsideAfter);
  const result =
    left === 0
      ? 'every broker is then within the band for all five resources'
      : `${left} of ${sum(summary.outsideBefore)} loads stay outside the band`;
  return `${data(summary.movedMB)} of ${data(summary.totalMB)} are copied, and ${result}.${within(summary)}`;
}

function within({ directories }: Summary): string {
  if (directories === undefined || directories.replicas === 0) return '';
  const { replicas, movedMB, outsideBefore, outsideAfter } = directories;
  const left = outsideAfter === 0 ? 'none' : String(outsideAfter);
  return ` Then ${data(movedMB)} in ${replicas} replicas are copied between the log directories of their brokers: of ${outsideBefore} directories outside the band ${left} stay.`;
}

/** A page that shows the plan, complete in itself (no script, nothing fetched), for the screen and for paper. */
export function report(model: ClusterModel, plan: Plan): string {
  const { summary } = plan;
  const key =
    '<p class="key"><i style="background:var(--before)"></i>before<i style="background:var(--after)"></i>after<i style="background:var(--out)"></i>after, outside<i style="background:var(--band)"></i>within the band</p>';
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Balancing plan</title><style>${STYLE}</style></head><body>` +
    `<h1>Balancing plan: ${summary.brokers.length} brokers, ${model.partitions.length} partitions</h1>` +
    `<p class="lead">${lead(summary)}</p>` +
    facts(summary) +
    obstacles(summary) +
    refused(plan) +
    `<h2>Load of each broker</h2>${key}<div class="charts">${RESOURCES.map((r) => loadChart(summary, r)).join('')}</div>` +
    brokersTable(summary) +
    moves(model, plan) +
    '</body></html>\n'
  );
}
