import { isStatefulSet } from '../assess.ts';
import { exitCodes, type ExitCode } from '../errors.ts';
import { documentsOf } from '../manifest/document.ts';
import { objectsOf, withReplacements } from '../manifest/objects.ts';
import { readSources } from '../manifest/read.ts';
import { diffText, jsonList, rewritten, yamlStream } from '../output/manifests.ts';
import { originalOf } from '../original.ts';
import type { Terminal } from '../output/terminal.ts';

export interface UnhardenOptions {
  readonly filename: readonly string[];
  readonly recursive?: boolean;
  readonly diff?: boolean;
  readonly output?: 'yaml' | 'json';
}

/** `kafka-warden unharden`: prints the input with its hardened StatefulSets as their authors wrote them. */
export const unhardenCommand = (options: UnhardenOptions, terminal: Terminal): ExitCode => {
  const documents = readSources(options.filename, options).flatMap(documentsOf);
  const replacements = documents
    .flatMap(objectsOf)
    .filter(isStatefulSet)
    .map((object) => ({ object, value: originalOf(object.value) }));
  const files = rewritten(documents, (document) => withReplacements(document, replacements));
  if (options.diff) terminal.out(diffText(files, 'original', terminal.colour.out));
  else terminal.out(options.output === 'json' ? jsonList(files) : yamlStream(files));
  return exitCodes.ok;
};
