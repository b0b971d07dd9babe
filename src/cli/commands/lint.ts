import type { Finding, Mode } from '../../hardening/index.ts';
import { assess, type Assessment } from '../assess.ts';
import { exitCodes, placeText, type ExitCode, type Place } from '../errors.ts';
import { documentsOf } from '../manifest/document.ts';
import { nameOf, placeOf } from '../manifest/objects.ts';
import { readSources } from '../manifest/read.ts';
import type { Style, Terminal } from '../output/terminal.ts';

export interface LintOptions {
  readonly filename: readonly string[];
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

const located = ({ object, namespace, findings }: Assessment): Located[] =>
  findings.map((finding) => {
    const { file, document = 1, line } = placeOf(object, finding.path);
    const { kind, name } = object;
    return { file, document, ...(line !== undefined && { line }), kind, namespace, name, ...finding };
  });

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

const summary = (assessments: readonly Assessment[], counts: Record<Finding['severity'], number>): string => {
  const sets = assessments.filter(({ object }) => object.kind === 'StatefulSet');
  const kafka = sets.filter(({ decision }) => decision !== 'ignored');
  const parts = severities.map(
    (severity) => `${counts[severity]} ${severity}${counts[severity] === 1 ? '' : 's'}`,
  );
  return `${kafka.length} of ${sets.length} StatefulSets run Kafka: ${parts.join(', ').replace('infos', 'info')}\n`;
};

/**
 * `kafka-warden lint`: what hardening would change, report or refuse, with file and line. Exit code 1 when a finding
 * is an error. Without `--mode` everything is only reported, as an enrolled namespace in `audit` would have it.
 */
export const lintCommand = (options: LintOptions, terminal: Terminal): ExitCode => {
  const documents = readSources(options.filename).flatMap(documentsOf);
  const assessments = assess(documents, { namespace: options.namespace, mode: options.mode ?? 'audit' });
  const findings = assessments.flatMap(located);
  const counts = counted(findings);
  if (options.output === 'json') {
    const objects = assessments.map(({ object, namespace, decision }) => ({
      object: nameOf(object, namespace),
      at: placeText(placeOf(object)),
      decision,
    }));
    terminal.out(`${JSON.stringify({ schema: 1, findings, objects, counts }, undefined, 2)}\n`);
  } else {
    for (const finding of findings) terminal.out(findingText(terminal, finding));
    terminal.out(summary(assessments, counts));
  }
  return counts.error > 0 ? exitCodes.findings : exitCodes.ok;
};
