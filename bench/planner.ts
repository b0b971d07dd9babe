/**
 * `npm run bench:planner [-- --models DIR] [--seed N] [--leader-weight W] [--cpu] [--json] [--large]`: plans for the
 * balance models beside the figures of Cruise Control and the records, and with `--large` for a generated 1,000 brokers
 * × 1,000,000 replicas. `--cpu` lets the budgets count processor time, which is what a machine that is busy with other
 * things leaves comparable; `--json` prints the table once more, as one object on the last line.
 * DIR defaults to $BALANCE_MODELS or ../shared/balance-models; models that are not there are skipped, and said so.
 */
import { existsSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { defaultBudgetMs, parseModel, propose, RESOURCES } from '../src/balance/index.ts';
import type { ClusterModel } from '../src/balance/index.ts';
import { randomOf } from '../src/balance/random.ts';

interface Known {
  readonly seconds: number;
  readonly moved: number;
  readonly outside: number;
}

/** README.md of the balance models: Cruise Control's analyzer with its default goals, fast mode, two cores. */
const CRUISE_CONTROL: Record<string, Known> = {
  'skewed-30x5k': { seconds: 7.6, moved: 0.1737, outside: 4 },
  'scaleout-30to33x5k': { seconds: 5.5, moved: 0.0881, outside: 113 },
  'drain-1of31x5k': { seconds: 3.4, moved: 0.0309, outside: 86 },
  'hetero-30x5k': { seconds: 49.2, moved: 0.3224, outside: 20 },
  'skewed-100x100k': { seconds: 40.6, moved: 0.0563, outside: 10 },
};
/** The same source: annealing of 20 to 60 million steps, 10 s to 3 min. */
const RECORDS: Record<string, { moved: number; outside: number; leaders: number }> = {
  'skewed-30x5k': { moved: 0.0996, outside: 0, leaders: 3460 },
  'scaleout-30to33x5k': { moved: 0.1544, outside: 1, leaders: 3603 },
  'drain-1of31x5k': { moved: 0.1208, outside: 0, leaders: 3538 },
  'hetero-30x5k': { moved: 0.1669, outside: 0, leaders: 3460 },
  'skewed-100x100k': { moved: 0.045, outside: 0, leaders: 68249 },
};

const { values } = parseArgs({
  options: {
    models: {
      type: 'string',
      default:
        process.env['BALANCE_MODELS'] ?? join(import.meta.dirname, '..', '..', 'shared', 'balance-models'),
    },
    seed: { type: 'string', default: '1' },
    'leader-weight': { type: 'string' },
    cpu: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
  },
});

interface Row {
  readonly model: string;
  readonly budgetSeconds: number;
  /** Until the first plan with every broker in the band, or undefined where none was found. */
  firstSeconds?: number;
  firstMoved?: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** The most that the process has held resident so far. */
  readonly memoryGiB: number;
  readonly moved: number;
  readonly bound: number;
  readonly diskBound: number;
  readonly ratio: number;
  readonly outside: number;
  readonly outsideEach: string;
  /** Goals that no plan can reach, with a proof each. */
  readonly unreachable: number;
  /** Most replicas of one topic on one broker beyond an even spread, before and after. */
  readonly topicPile: string;
  readonly replicaMoves: number;
  readonly leaderChanges: number;
}

const processorMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const now = values.cpu ? processorMs : () => performance.now();
const leaderWeight = values['leader-weight'];

function measure(name: string, model: ClusterModel): Row {
  const start = performance.now();
  const begun = now();
  const cpu = processorMs();
  const since = (): number => (now() - begun) / 1000;
  let first: Pick<Row, 'firstSeconds' | 'firstMoved'> = {};
  const { summary } = propose(
    model,
    {
      tolerance: 0.1,
      seed: Number(values.seed),
      ...(leaderWeight !== undefined && { leaderWeight: Number(leaderWeight) }),
    },
    {
      now,
      onBetter: ({ violation, movedShare }) => {
        if (violation === 0 && first.firstSeconds === undefined)
          first = { firstSeconds: since(), firstMoved: movedShare };
      },
    },
  );
  const each = RESOURCES.map((r) => summary.outsideAfter[r]);
  return {
    model: name,
    budgetSeconds: defaultBudgetMs(model) / 1000,
    ...first,
    seconds: (performance.now() - start) / 1000,
    cpuSeconds: (processorMs() - cpu) / 1000,
    memoryGiB: process.resourceUsage().maxRSS / 2 ** 20,
    moved: summary.movedShare,
    bound: summary.boundShare,
    diskBound: summary.diskBoundShare,
    ratio: summary.boundShare > 0 ? summary.movedShare / summary.boundShare : 1,
    outside: each.reduce((sum, n) => sum + n, 0),
    outsideEach: each.join('/'),
    unreachable: summary.obstacles.length,
    topicPile: `${summary.topicPileBefore?.replicas ?? 0}→${summary.topicPileAfter?.replicas ?? 0}`,
    replicaMoves: summary.replicaMoves,
    leaderChanges: summary.leaderChanges,
  };
}

function read(name: string): ClusterModel | undefined {
  const file = join(values.models, `${name}.model.json.gz`);
  if (!existsSync(file)) {
    console.log(`${name}: skipped, ${file} is not there; name the directory with --models`);
    return undefined;
  }
  return parseModel(JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')));
}

/** 1,000 brokers in 4 racks, 1,000,000 replicas: log-normal sizes, the first brokers preferred. */
function large(): ClusterModel {
  const random = randomOf(1);
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const capacity = { disk: 2e6, networkIn: 2e6, networkOut: 2e6 };
  const brokers = Array.from({ length: 1000 }, (_, id) => ({
    id,
    rack: `r${id % 4}`,
    state: 'alive' as const,
    capacity,
  }));
  const partitions = Array.from({ length: 333_334 }, (_, i) => {
    const racks = [0, 1, 2, 3];
    racks.splice(random.below(4), 1);
    const replicas = racks.map((rack) => 4 * Math.floor(250 * random.next() ** 1.3) + rack);
    const size = 300 * Math.exp(1.5 * normal());
    const bytesIn = 0.5 * size * Math.exp(0.5 * normal());
    const bytesOut = bytesIn * 2 * random.next();
    return {
      topic: `t${Math.floor(i / 20)}`,
      partition: i % 20,
      replicas,
      leader: replicas[0] ?? -1,
      size,
      bytesIn,
      bytesOut,
    };
  });
  return { brokers, partitions };
}

const percent = (share: number | undefined): string => (share === undefined ? '-' : (100 * share).toFixed(2));
const cell = (value: string | number, width: number): string => String(value).padStart(width);

const HEADS = [
  'first s',
  'moved %',
  'wall s',
  'CPU s',
  'moved %',
  'bound %',
  'ratio',
  'outside',
  'beyond',
  'replicas',
  'leaders',
  'topic',
  'GiB',
];

function printRow(row: Row): void {
  const record = RECORDS[row.model];
  const cruise = CRUISE_CONTROL[row.model];
  const own = [
    row.firstSeconds?.toFixed(2) ?? '-',
    percent(row.firstMoved),
    row.seconds.toFixed(1),
    row.cpuSeconds.toFixed(1),
    percent(row.moved),
    percent(row.bound),
    row.ratio.toFixed(3),
    row.outsideEach,
    row.unreachable,
    row.replicaMoves,
    row.leaderChanges,
    row.topicPile,
    row.memoryGiB.toFixed(2),
  ];
  console.log(
    row.model.padEnd(19) +
      own.map((value) => cell(value, 10)).join('') +
      (record ? `   | ${percent(record.moved)} ${record.outside} ${record.leaders}` : '') +
      (cruise ? ` | ${cruise.seconds} ${percent(cruise.moved)} ${cruise.outside}` : ''),
  );
}

console.log(
  `${'model'.padEnd(19)}${HEADS.map((h) => cell(h, 10)).join('')}   | record: moved %, outside, leaders | Cruise Control: s, moved %, outside`,
);
const rows: Row[] = [];
for (const name of [...Object.keys(RECORDS), ...(values.large ? ['large-1000x1M'] : [])]) {
  const model = name in RECORDS ? read(name) : large();
  if (model === undefined) continue;
  const row = measure(name, model);
  rows.push(row);
  printRow(row);
}
console.log(
  `\nload of the machine ${loadavg()[0]?.toFixed(1)}; budgets in ${values.cpu ? 'processor' : 'wall'} time`,
);
if (values.json)
  console.log(
    JSON.stringify({
      bench: 'planner',
      load: loadavg()[0],
      rows,
      records: RECORDS,
      cruiseControl: CRUISE_CONTROL,
    }),
  );
