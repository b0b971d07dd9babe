import type { Mode } from '../../hardening/index.ts';
import { assess, type Assessment } from '../assess.ts';
import { exitCodes, type ExitCode } from '../errors.ts';
import { foreignText, readManifests } from '../manifest/manifests.ts';
import { objectsOf, withReplacements } from '../manifest/objects.ts';
import { templatesText } from '../manifest/templates.ts';
import { assessmentText, isWorthSaying } from '../output/findings.ts';
import { diffText, jsonList, rewritten, yamlStream } from '../output/manifests.ts';
import type { Terminal } from '../output/terminal.ts';

export type OutputFormat = 'yaml' | 'json' | 'json-patch';

export interface HardenOptions {
  readonly filename: readonly string[];
  readonly recursive?: boolean;
  readonly namespace?: string;
  readonly mode?: Mode;
  readonly strict?: boolean;
  readonly diff?: boolean;
  readonly output?: OutputFormat;
  readonly quiet?: boolean;
}

/** The operations alone, as `kubectl patch --type=json` takes them; with their target where there are several. */
const patchText = (assessments: readonly Assessment[]): string => {
  const targets = assessments.filter(
    ({ object, patch }) => patch.length > 0 || object.kind === 'StatefulSet',
  );
  const [only] = targets;
  const printed =
    targets.length === 1
      ? only?.patch
      : targets.map(({ object: { apiVersion, kind, name }, namespace, patch }) => ({
          apiVersion,
          kind,
          namespace,
          name,
          patch,
        }));
  return `${JSON.stringify(printed, undefined, 2)}\n`;
};

/**
 * `kafka-warden harden`: prints the input with its Kafka StatefulSets hardened. Findings go to standard error. Where
 * anything is refused nothing is printed, so that `| kubectl apply -f -` applies no half.
 */
export const hardenCommand = (options: HardenOptions, terminal: Terminal): ExitCode => {
  const mode = options.strict ? 'strict' : options.mode;
  const { documents, foreign } = readManifests(options.filename, options);
  if (!options.quiet) terminal.err(foreignText(foreign) + templatesText(documents.flatMap(objectsOf)));
  const assessments = assess(documents, { namespace: options.namespace, mode });
  const refused = assessments.filter(({ decision }) => decision === 'refused');
  const said = options.quiet ? refused : assessments.filter(isWorthSaying);
  for (const assessment of said) terminal.err(assessmentText(terminal, assessment));
  if (refused.length > 0) {
    terminal.err('Nothing is printed, because something is refused.\n');
    return exitCodes.refused;
  }
  const replacements = assessments
    .filter(({ patch }) => patch.length > 0)
    .map(({ object, value }) => ({ object, value }));
  const output = (): string => {
    if (options.output === 'json-patch') return patchText(assessments);
    const files = rewritten(documents, (document) => withReplacements(document, replacements));
    if (options.diff) return diffText(files, 'hardened', terminal.colour.out);
    return options.output === 'json' ? jsonList(files) : yamlStream(files);
  };
  terminal.out(output());
  return exitCodes.ok;
};
