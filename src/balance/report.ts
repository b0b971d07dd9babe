import type { ClusterModel } from './model.ts';
import type { Plan } from './planner.ts';
import { RESOURCES } from './problem.ts';
import type { Resource } from './problem.ts';
import type { BrokerLoad, Summary } from './summary.ts';

const TITLES: Record<Resource, string> = {
  disk: 'Disk',
  networkIn: 'Bytes in',
  replicas: 'Replicas',
  networkOut: 'Bytes out',
  leaders: 'Leaders',
};

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
const percent = (x: number, digits = 2): string => `${(100 * x).toFixed(digits)}%`;

/** A size in MB for people: MB, GB or TB with three figures. */
function data(megabytes: number): string {
  if (megabytes >= 1e6) return `${(megabytes / 1e6).toPrecision(3)} TB`;
  return megabytes >= 1e3 ? `${(megabytes / 1e3).toPrecision(3)} GB` : `${megabytes.toFixed(0)} MB`;
}

const STYLE = `
:root { color-scheme: light; --ink: #1c2330; --faint: #667; --line: #d8dce4; --before: #b9c0cc; --after: #1f6feb; --out: #c4320a; --band: #e8f3ea }
body { font: 14px/1.45 system-ui, sans-serif; color: var(--ink); max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem; break-after: avoid }
dl { display: grid; grid-template-columns: max-content auto; gap: .2rem 1.2rem } dt { color: var(--faint) } dd { margin: 0 }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1.2rem }
figure { margin: 0; break-inside: avoid } figcaption { font-weight: 600; margin-bottom: .3rem }
svg { width: 100%; height: auto; display: block; print-color-adjust: exact; -webkit-print-color-adjust: exact }
svg text { font: 9px system-ui, sans-serif; fill: var(--faint) }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .85rem }
th, td { text-align: right; padding: .15rem .5rem; border-bottom: 1px solid var(--line) } th:first-child, td:first-child { text-align: left }
tr { break-inside: avoid } .key i { display: inline-block; width: .9em; height: .9em; margin: 0 .3em 0 1em; vertical-align: -.1em }
@media print { body { margin: 0; max-width: none; font-size: 10pt } @page { margin: 14mm } }
`;

const ROW = 13;
const LEFT = 34;
const WIDTH = 300;

function bar(broker: BrokerLoad, index: number, resource: Resource, scale: number): string {
  const y = 14 + index * ROW;
  const before = broker.before[resource] * scale;
  const after = broker.after[resource] * scale;
  return (
    `<text x="${LEFT - 4}" y="${y + 9}" text-anchor="end">${broker.id}</text>` +
    `<rect x="${LEFT}" y="${y}" width="${before.toFixed(1)}" height="4" fill="var(--before)"/>` +
    `<rect x="${LEFT}" y="${y + 5}" width="${after.toFixed(1)}" height="5" fill="var(--after)"><title>broker ${broker.id}: ` +
    `${percent(broker.before[resource], 0)} → ${percent(broker.after[resource], 0)} of the average</title></rect>`
  );
}

function chart(summary: Summary, resource: Resource): string {
  const { brokers, tolerance } = summary;
  const most = brokers.reduce(
    (max, b) => Math.max(max, b.before[resource], b.after[resource]),
    1 + tolerance,
  );
  const scale = (WIDTH - LEFT - 4) / most;
  const height = 16 + brokers.length * ROW;
  const low = LEFT + (1 - tolerance) * scale;
  const wide = 2 * tolerance * scale;
  const out = `${summary.outsideBefore[resource]} → ${summary.outsideAfter[resource]} outside`;
  return (
    `<figure><figcaption>${TITLES[resource]} <small>(${out})</small></figcaption>` +
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${TITLES[resource]} of each broker before and after">` +
    `<rect x="${low.toFixed(1)}" y="10" width="${wide.toFixed(1)}" height="${height - 10}" fill="var(--band)"/>` +
    `<text x="${(LEFT + scale).toFixed(1)}" y="8" text-anchor="middle">average</text>` +
    brokers.map((b, i) => bar(b, i, resource, scale)).join('') +
    '</svg></figure>'
  );
}

function facts(summary: Summary): string {
  const rows: [string, string][] = [
    ['Data moved', `${data(summary.movedMB)}, ${percent(summary.movedShare)} of ${data(summary.totalMB)}`],
    [
      'Proven minimum',
      `${percent(summary.boundShare)} (from the disk alone ${percent(summary.diskBoundShare)})` +
        (summary.ratio === undefined ? '' : `; this plan moves ${summary.ratio.toFixed(3)} times that`),
    ],
    ['Replica copies', String(summary.replicaMoves)],
    ['Leader changes', `${summary.leaderChanges}, of which ${summary.reorderings} without a copy`],
    ['Partitions changed', String(summary.partitionsChanged)],
    ['Band', `±${percent(summary.tolerance, 0)} around the average for each unit of capacity`],
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

function brokersTable(summary: Summary): string {
  const rows = summary.brokers.map((b) => {
    const loads = RESOURCES.map(
      (r) => `<td>${percent(b.before[r], 0)} → ${percent(b.after[r], 0)}</td>`,
    ).join('');
    return `<tr><td>${b.id}</td><td>${data(b.inMB)}</td><td>${data(b.outMB)}</td>${loads}</tr>`;
  });
  const heads = RESOURCES.map((r) => `<th>${TITLES[r]}</th>`).join('');
  return `<h2>Each broker</h2><table><thead><tr><th>Broker</th><th>Comes</th><th>Goes</th>${heads}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

/** The most moves listed one by one; the rest is in the plan file. */
const LISTED = 200;

function movesTable(model: ClusterModel, plan: Plan): string {
  const before = new Map(model.partitions.map((p) => [`${p.topic}-${p.partition}`, p]));
  const rows = plan.reassignment.partitions.flatMap((change) => {
    const was = before.get(`${change.topic}-${change.partition}`);
    if (was === undefined) return [];
    const added = change.replicas.filter((b) => !was.replicas.includes(b)).length;
    return [{ change, was, moved: added * was.size }];
  });
  rows.sort((a, b) => b.moved - a.moved);
  const body = rows
    .slice(0, LISTED)
    .map(
      ({ change, was, moved }) =>
        `<tr><td>${escape(change.topic)}-${change.partition}</td><td>${data(moved)}</td><td>${was.replicas.join(', ')}</td><td>${change.replicas.join(', ')}</td></tr>`,
    );
  const note = rows.length > LISTED ? `<p>The ${LISTED} largest of ${rows.length} changes.</p>` : '';
  return `<h2>What moves where</h2>${note}<table><thead><tr><th>Partition</th><th>Data</th><th>Replicas before</th><th>after, leader first</th></tr></thead><tbody>${body.join('')}</tbody></table>`;
}

/** A page that shows the plan, complete in itself (no script, nothing fetched), for the screen and for paper. */
export function report(model: ClusterModel, plan: Plan): string {
  const { summary } = plan;
  const key =
    '<p class="key"><i style="background:var(--before)"></i>before<i style="background:var(--after)"></i>after<i style="background:var(--band)"></i>within the band</p>';
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Balancing plan</title><style>${STYLE}</style></head><body>` +
    `<h1>Balancing plan: ${summary.brokers.length} brokers, ${model.partitions.length} partitions</h1>` +
    facts(summary) +
    obstacles(summary) +
    `<h2>Load of each broker</h2>${key}<div class="charts">${RESOURCES.map((r) => chart(summary, r)).join('')}</div>` +
    brokersTable(summary) +
    movesTable(model, plan) +
    '</body></html>\n'
  );
}
