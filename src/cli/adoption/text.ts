import { table, wrapped } from '../output/table.ts';
import type { Terminal } from '../output/terminal.ts';
import type { AdoptionPlan } from './plan.ts';
import type { Stage } from './stages.ts';

const width = 110;

/** A label in the margin, and its text beside it. */
function labelled(terminal: Terminal, label: string, text: string): string {
  const indent = ' '.repeat(12);
  const body = wrapped(text, indent, width);
  return `  ${terminal.paint('out', 'gray', label.padEnd(10))}${body.slice(indent.length)}`;
}

function changesText(terminal: Terminal, { changes }: Stage): string {
  if (changes.length === 0) return labelled(terminal, 'Changes', 'no setting');
  return changes
    .map(({ set, setting, from, to }, i) => {
      const value = `${from === null ? '(not set)' : from} → ${to === null ? '(removed)' : to}`;
      const before = changes[i - 1];
      const label = i === 0 ? 'Changes' : '';
      const head = before?.set === set ? '' : `${set}: `;
      return labelled(terminal, label, `${head}${setting}`) + wrapped(value, ' '.repeat(16), width);
    })
    .join('');
}

const portsText = (ports: Stage['opens']): string =>
  ports.map(({ set, port, listener }) => `${set} ${port} (${listener})`).join(', ');

function stageText(terminal: Terminal, stage: Stage): string {
  const { number, title, why, opens, closes, restarts, clients, check, back } = stage;
  const rolls = restarts.map(({ set, pods }) => `${set}: ${pods.join(', ')}`).join('; then ');
  return [
    `\n${terminal.paint('out', 'bold', `Stage ${number} of 7: ${title}`)}\n`,
    labelled(terminal, 'Why', why),
    changesText(terminal, stage),
    opens.length === 0 ? '' : labelled(terminal, 'Opens', portsText(opens)),
    closes.length === 0 ? '' : labelled(terminal, 'Closes', portsText(closes)),
    labelled(
      terminal,
      'Restarts',
      rolls === '' ? 'nothing' : `${rolls}; one pod at a time, the active controller last`,
    ),
    labelled(terminal, 'Clients', clients),
    ...check.map((text, i) => labelled(terminal, i === 0 ? 'Check' : '', text)),
    labelled(terminal, 'Back', back),
  ].join('');
}

/** A plan as a person reads it. */
export function planText(terminal: Terminal, plan: AdoptionPlan): string {
  const { namespace, cluster, mode, sets, before, stages, skipped } = plan;
  const rows = sets.map(({ name, role, pods, ids }) => [name, role, String(pods), ids]);
  return [
    `${terminal.paint('out', 'bold', `Adopting the cluster ${namespace}/${cluster}`)} (${mode === 'kraft' ? 'KRaft' : 'ZooKeeper mode'})\n\n`,
    table([['STATEFULSET', 'ROLE', 'PODS', 'NODE IDS'], ...rows]),
    '\nBefore the first stage\n',
    ...before.map((text) => `  - ${wrapped(text, '    ', width).trimStart()}`),
    ...stages.map((stage) => stageText(terminal, stage)),
    ...skipped.map(({ number, reason }) => `\nStage ${number} of 7 does not apply: ${reason}.\n`),
    mode === 'zookeeper'
      ? '\nThe link to ZooKeeper stays as open as it is: protect it, or migrate to KRaft on Kafka 3.9.\n'
      : '',
  ].join('');
}
