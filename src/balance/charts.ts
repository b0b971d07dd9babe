import type { Resource } from './problem.ts';
import type { BrokerLoad, Summary } from './summary.ts';

/** Pictures of a plan as SVG, for `report.ts`: colours are the page's variables, one unit is about a pixel. */
export const TITLES: Record<Resource, string> = {
  disk: 'Disk',
  networkIn: 'Bytes in',
  replicas: 'Replicas',
  networkOut: 'Bytes out',
  leaders: 'Leaders',
};

const ROW = 13;
const LEFT = 34;
const WIDTH = 300;
/** Up to so many brokers each has a bar of its own and a row in the matrix of flows. */
const FEW = 60;
const MATRIX = 40;

const round = (x: number): string => x.toFixed(1);
const percent = (x: number): string => `${(100 * x).toFixed(0)}%`;

/** Numbers in the SVG: `scale` units for the average load. */
interface Frame {
  readonly resource: Resource;
  readonly scale: number;
  readonly tolerance: number;
}

function bar(broker: BrokerLoad, index: number, { resource, scale, tolerance }: Frame): string {
  const y = 14 + index * ROW;
  const before = broker.before[resource];
  const after = broker.after[resource];
  const out = Math.abs(after - 1) > tolerance + 1e-6 && after > 0;
  return (
    `<text x="${LEFT - 4}" y="${y + 9}" text-anchor="end">${broker.id}</text>` +
    `<rect x="${LEFT}" y="${y}" width="${round(before * scale)}" height="4" fill="var(--before)"/>` +
    `<rect x="${LEFT}" y="${y + 5}" width="${round(after * scale)}" height="5" fill="var(${out ? '--out' : '--after'})">` +
    `<title>broker ${broker.id}: ${percent(before)} → ${percent(after)} of the average</title></rect>`
  );
}

function bars(brokers: readonly BrokerLoad[], frame: Frame): { body: string; height: number } {
  return { body: brokers.map((b, i) => bar(b, i, frame)).join(''), height: 16 + brokers.length * ROW };
}

const TALL = 220;

/** Where there are too many brokers for bars: their loads in descending order, one line before and one after. */
function curves(
  brokers: readonly BrokerLoad[],
  { resource, scale }: Frame,
): { body: string; height: number } {
  const line = (when: 'before' | 'after'): string => {
    const loads = brokers.map((b) => b[when][resource]).sort((a, b) => b - a);
    const points = loads.map((x, i) => {
      const y = 14 + (TALL * i) / Math.max(1, loads.length - 1);
      return `${round(LEFT + x * scale)},${round(y)}`;
    });
    return `<polyline points="${points.join(' ')}" fill="none" stroke="var(--${when})" stroke-width="2"/>`;
  };
  const label = (y: number, text: string): string =>
    `<text x="${LEFT - 4}" y="${y}" text-anchor="end">${text}</text>`;
  const body = line('before') + line('after') + label(20, 'most') + label(14 + TALL, 'least');
  return { body, height: TALL + 20 };
}

/** Loads of all brokers for one resource, before and after, with the band behind them. */
export function loadChart(summary: Summary, resource: Resource): string {
  const { brokers, tolerance } = summary;
  const most = brokers.reduce(
    (max, b) => Math.max(max, b.before[resource], b.after[resource]),
    1 + tolerance,
  );
  const scale = (WIDTH - LEFT - 4) / most;
  const frame = { resource, scale, tolerance };
  const { body, height } = brokers.length <= FEW ? bars(brokers, frame) : curves(brokers, frame);
  const low = LEFT + (1 - tolerance) * scale;
  const middle = round(LEFT + scale);
  const out = `${summary.outsideBefore[resource]} → ${summary.outsideAfter[resource]} outside`;
  return (
    `<figure><figcaption>${TITLES[resource]} <small>(${out})</small></figcaption>` +
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${TITLES[resource]} of each broker before and after">` +
    `<rect x="${round(low)}" y="10" width="${round(2 * tolerance * scale)}" height="${height - 10}" fill="var(--band)"/>` +
    `<text x="${middle}" y="8" text-anchor="middle">average</text>` +
    `<line x1="${middle}" x2="${middle}" y1="10" y2="${height}" stroke="var(--line)"/>` +
    `${body}</svg></figure>`
  );
}

/** Data in MB that goes from one broker to another, by `from to`. */
export type Flows = ReadonlyMap<string, number>;

/** A square for each pair of brokers, the darker the more data goes from its row to its column; '' for many brokers. */
export function flowMatrix(
  ids: readonly number[],
  flows: Flows,
  data: (megabytes: number) => string,
): string {
  if (ids.length > MATRIX || flows.size === 0) return '';
  const cell = Math.min(20, 560 / ids.length);
  const most = [...flows.values()].reduce((max, x) => Math.max(max, x), 1e-9);
  const size = LEFT + ids.length * cell + 2;
  const at = (i: number): number => LEFT + i * cell;
  const labels = ids.map(
    (id, i) =>
      `<text x="${LEFT - 4}" y="${round(at(i) + cell / 2 + 3)}" text-anchor="end">${id}</text>` +
      `<text x="${round(at(i) + cell / 2)}" y="${LEFT - 5}" text-anchor="middle">${id}</text>`,
  );
  const cells = ids.flatMap((from, row) =>
    ids.map((to, column) => {
      const megabytes = flows.get(`${from} ${to}`) ?? 0;
      const place = `x="${round(at(column))}" y="${round(at(row))}" width="${round(cell - 1)}" height="${round(cell - 1)}"`;
      if (megabytes === 0) return `<rect ${place} fill="var(--empty)"/>`;
      const shade = (0.12 + 0.88 * Math.sqrt(megabytes / most)).toFixed(2);
      return `<rect ${place} fill="var(--after)" fill-opacity="${shade}"><title>${from} → ${to}: ${data(megabytes)}</title></rect>`;
    }),
  );
  return (
    `<figure class="flows"><figcaption>From (row) to (column) <small>(the darkest square: ${data(most)})</small></figcaption>` +
    `<svg viewBox="0 0 ${round(size)} ${round(size)}" style="max-width:${round(1.4 * size)}px" role="img" ` +
    `aria-label="Data from each broker to each">${labels.join('')}${cells.join('')}</svg></figure>`
  );
}
