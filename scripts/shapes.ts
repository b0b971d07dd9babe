/**
 * `node scripts/shapes.ts`: writes `docs/shapes.md`, the table of the shapes of Kafka manifests and what becomes of each,
 * from `test/shapes`.
 */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { layoutOf, type Finding } from '../src/hardening/index.ts';
import { keys } from '../src/names.ts';
import { outcomesOf, type SetOutcome } from '../test/shapes/outcomes.ts';
import { readShape, shapeNames, type Shape } from '../test/shapes/shape.ts';

interface Row {
  shape: Shape;
  outcomes: readonly SetOutcome[];
}

const rowOf = (shape: Shape): Row => ({ shape, outcomes: outcomesOf(shape) });

const unique = (values: readonly string[]): string[] => [...new Set(values)];

/** The repository and tag, without the registry of an example. */
const shown = (image: string): string =>
  image.replace(/^docker\.io\//, '').replace(/@sha256:(.{8}).*/, '@sha256:$1…');

const imagesOf = ({ outcomes }: Row): string =>
  unique(
    outcomes.flatMap(({ set }) =>
      (set.spec?.template.spec?.containers ?? []).map((c) => shown(c.image ?? '')),
    ),
  )
    .map((image) => `\`${image}\``)
    .join(', ');

/** What the pods of the hardened sets are. */
const rolesOf = ({ outcomes }: Row): string =>
  unique(
    outcomes.flatMap(({ outcome }) => {
      const layout = layoutOf(outcome.workload);
      return outcome.decision === 'hardened' && layout !== undefined ? [layout.role ?? 'combined'] : [];
    }),
  ).join(', ');

const profilesOf = ({ outcomes }: Row): string =>
  unique(
    outcomes.flatMap(({ outcome }) =>
      outcome.decision === 'hardened' ? [outcome.workload.metadata?.annotations?.[keys.profile] ?? ''] : [],
    ),
  ).join(', ');

function outcomeOf({ outcomes }: Row): string {
  const decisions = unique(outcomes.map(({ outcome }) => outcome.decision));
  if (decisions.length < 2) return decisions.join();
  return outcomes.map(({ set, outcome }) => `${set.metadata?.name}: ${outcome.decision}`).join('; ');
}

/** The rules with findings that a person should act on, errors first. */
function rulesOf({ outcomes }: Row): string {
  const findings = outcomes.flatMap(({ outcome }) => outcome.findings);
  const named = (severity: Finding['severity']) =>
    unique(findings.filter((f) => f.severity === severity).map((f) => f.rule));
  const errors = named('error');
  const warnings = named('warning').filter((rule) => !errors.includes(rule));
  return [...errors.map((rule) => `**${rule}**`), ...warnings].join(', ');
}

const runOf = ({ shape }: Row): string => (shape.runs ? shape.image : `no: ${shape.notRun}`);

const cell = (text: string) => text.replaceAll('|', '\\|');

function table(rows: readonly Row[]): string {
  const header = ['shape', 'seen as', 'images', 'roles', 'profile', 'outcome', 'findings', 'run'];
  const body = rows.map((row) => [
    `[${row.shape.name}](../test/shapes/manifests/${row.shape.name}.yaml): ${row.shape.shape}`,
    row.shape.row,
    imagesOf(row),
    rolesOf(row),
    profilesOf(row),
    outcomeOf(row),
    rulesOf(row),
    runOf(row),
  ]);
  const lines = [header, header.map(() => '---'), ...body].map(
    (cells) => `| ${cells.map(cell).join(' | ')} |`,
  );
  return ['<!-- prettier-ignore -->', ...lines].join('\n');
}

function counts(rows: readonly Row[]): string {
  const decisions = rows.flatMap(({ outcomes }) => outcomes.map(({ outcome }) => outcome.decision));
  const of = (decision: string) => decisions.filter((d) => d === decision).length;
  const run = (image: string) => rows.filter(({ shape }) => shape.runs && shape.image === image).length;
  return (
    `${rows.length} manifests with ${decisions.length} workloads: ${of('hardened')} hardened, ${of('reported')} reported and left ` +
    `alone, ${of('refused')} refused, ${of('ignored')} ignored. ${run('real') + run('emulated')} of the manifests are run on the ` +
    `test cluster: ${run('real')} with the published Kafka, ${run('emulated')} with an emulation of the image's entrypoint.`
  );
}

const titles: Record<string, string> = {
  apache: 'apache/kafka: ways of delivering the configuration',
  native: 'apache/kafka-native',
  cp: 'Confluent Platform',
  bitnami: 'Bitnami',
  private: 'Private images',
  image: 'Images and tags',
  quorum: 'Quorums',
  network: 'Listeners and Services',
  security: 'Security of their own',
  storage: 'Storage',
  pod: 'Pods',
  sidecar: 'Several containers',
  monitoring: 'Monitoring',
  size: 'Sizes',
  broken: 'Broken before anyone touches them',
  names: 'Names',
  choice: 'Modes and opting out',
  beside: 'Beside brokers',
};

/** The text of `docs/shapes.md`. Throws where a shape's name begins with no subject of the table. */
export function shapesDocument(): string {
  const rows = shapeNames().map(readShape).map(rowOf);
  const subjectOf = ({ shape }: Row) => shape.name.split('-')[0] ?? '';
  const lost = rows.find((row) => titles[subjectOf(row)] === undefined);
  if (lost !== undefined) throw new Error(`${lost.shape.name} begins with no subject of scripts/shapes.ts`);
  const sections = Object.entries(titles).map(
    ([subject, title]) => `## ${title}\n\n${table(rows.filter((row) => subjectOf(row) === subject))}\n`,
  );
  return `# Shapes of manifests, and what becomes of them

<!-- Written by scripts/shapes.ts from test/shapes: change that, not this. -->

How people write Kafka for Kubernetes, and what kafka-warden makes of each shape. Every row is a manifest of
[test/shapes/manifests](../test/shapes/manifests) with what is made of it to the letter in
[test/shapes/golden](../test/shapes/golden).

- **seen as**: what of it was found in public manifests; \`beyond\`: not found there, but likely.
- **outcome**: \`hardened\`, \`reported\` (left alone, with the reason), \`refused\` or \`ignored\`; by workload where they differ.
- **roles**: what the pods are to their cluster; \`unseen\`: the configuration is not in the manifest, the launcher decides at the start.
- **findings**: rules with errors (**bold**) and warnings; \`kafka-warden explain RULE\` says more.
- **run**: \`real\`: \`npm run e2e:full\` runs it on the test cluster with the published Kafka: used, restarted, applied again;
  \`emulated\`: the same with an emulation of the image's entrypoint; else why it is not run. Results are in
  [test/results](../test/results).

${counts(rows)}

${sections.join('\n')}`;
}

if (import.meta.main)
  writeFileSync(join(resolve(import.meta.dirname, '..'), 'docs/shapes.md'), shapesDocument());
