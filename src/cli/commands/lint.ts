import type { Finding, Mode } from '../../hardening/index.ts';
import { lint, type LintFinding, type Report } from '../../lint/index.ts';
import { namespaceOf } from '../assess.ts';
import { exitCodes, placeText, type ExitCode, type Place } from '../errors.ts';
import { foreignText, readManifests } from '../manifest/manifests.ts';
import { templatesText } from '../manifest/templates.ts';
import { nameOf, objectsOf, placeOf, type ManifestObject } from '../manifest/objects.ts';
import type { Style, Terminal } from '../output/terminal.ts';

export interface LintOptions {
  readonly filename: readonly string[];
  readonly recursive?: boolean;
  readonly namespace?: string;
  readonly mode?: Mode;
  readonly output?: 'text' | 'json';
}

/** A finding with its place in the file and the object that it is about. */
interface Located extends Finding {
  readonly file: string;
  readonly document: number;
  readonly line?: number;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** An object of the input with the namespace that it is applied to. */
interface Subject {
  readonly object: ManifestObject;
  readonly value: ManifestObject['value'];
  readonly namespace: string;
}

const located = ({ subject, ...finding }: LintFinding<Subject>): Located => {
  const { object, namespace } = subject;
  const { file, document = 1, line } = placeOf(object, finding.path);
  const { kind, name } = object;
  return { file, document, ...(line !== undefined && { line }), kind, namespace, name, ...finding };
};

const severities = ['error', 'warning', 'info'] as const;
const styles: Record<Finding['severity'], Style> = { error: 'red', warning: 'yellow', info: 'cyan' };

/** `kafka.yaml:14`, which editors and terminals follow. */
const position = ({ file, line }: Place): string => (line === undefined ? file : `${file}:${line}`);

const findingText = (terminal: Terminal, finding: Located): string => {
  const { severity, rule, message, remedy, path } = finding;
  const mark = terminal.paint('out', styles[severity], severity);
  const details = [path, remedy].filter((text) => text !== '').map((text) => `    ${text}\n`);
  return `${terminal.paint('out', 'bold', position(finding))}: ${mark} ${rule}: ${message}\n${details.join('')}`;
};

const counted = (findings: readonly Located[]) =>
  Object.fromEntries(
    severities.map((severity) => [
      severity,
      findings.filter((finding) => finding.severity === severity).length,
    ]),
  ) as Record<Finding['severity'], number>;

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const summary = (
  { decisions, brokers }: Report<Subject>,
  counts: Record<Finding['severity'], number>,
): string => {
  const kafka = [...decisions.values()].filter((decision) => decision !== 'ignored').length;
  const others = brokers.filter((b) => b.object.kind !== 'StatefulSet').length;
  const also = others === 0 ? '' : `, and ${plural(others, 'other workload')}`;
  const parts = [plural(counts.error, 'error'), plural(counts.warning, 'warning'), `${counts.info} info`];
  return `${kafka} of ${decisions.size} StatefulSets run Kafka${also}: ${parts.join(', ')}\n`;
};

/**
 * `kafka-warden lint`: what hardening would change, report or refuse, and what the objects of all files show together, with
 * file and line. Exit code 1 when a finding is an error. Without `--mode` everything is only reported, as an enrolled
 * namespace in `audit` would have it.
 */
export const lintCommand = (options: LintOptions, terminal: Terminal): ExitCode => {
  const { documents, foreign } = readManifests(options.filename, options);
  terminal.err(foreignText(foreign));
  const objects = documents.flatMap(objectsOf);
  terminal.err(templatesText(objects));
  const subjects = objects.map((object): Subject => {
    return { object, value: object.value, namespace: namespaceOf(object, options.namespace) };
  });
  const report = lint(subjects, { mode: options.mode ?? 'audit' });
  const findings = report.findings.map(located);
  const counts = counted(findings);
  if (options.output === 'json') {
    const decided = subjects.map((subject) => ({
      object: nameOf(subject.object, subject.namespace),
      at: placeText(placeOf(subject.object)),
      decision: report.decisions.get(subject),
    }));
    terminal.out(`${JSON.stringify({ schema: 1, findings, objects: decided, counts }, undefined, 2)}\n`);
  } else {
    for (const finding of findings) terminal.out(findingText(terminal, finding));
    terminal.out(summary(report, counts));
  }
  return counts.error > 0 ? exitCodes.findings : exitCodes.ok;
};
