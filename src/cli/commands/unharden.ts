import { unharden, type StatefulSet } from '../../hardening/index.ts';
import { withoutDefaults } from '../../hardening/defaults.ts';
import { applyPatch, patchBetween } from '../../hardening/diff.ts';
import { clone, equal, type Json, type JsonObject } from '../../hardening/tree.ts';
import { isStatefulSet } from '../assess.ts';
import { exitCodes, type ExitCode } from '../errors.ts';
import { documentsOf } from '../manifest/document.ts';
import { objectsOf, withReplacements } from '../manifest/objects.ts';
import { readSources } from '../manifest/read.ts';
import { diffText, jsonList, rewritten, yamlStream } from '../output/manifests.ts';
import type { Terminal } from '../output/terminal.ts';

export interface UnhardenOptions {
  readonly filename: readonly string[];
  readonly diff?: boolean;
  readonly output?: 'yaml' | 'json';
}

/**
 * The original of a hardened set. The core leaves the API's defaults out; here the ones that the author wrote stay,
 * so only the difference is applied.
 */
export const originalOf = (set: JsonObject): JsonObject => {
  const original = unharden(set) as unknown as Json;
  if (equal(original, set)) return set;
  const { status: _status, ...before } = withoutDefaults(clone(set));
  const { status: _same, ...after } = original as JsonObject;
  return applyPatch(
    set,
    patchBetween(before, after, () => 'profile'),
  );
};

/** `kafka-warden unharden`: prints the input with its hardened StatefulSets as their authors wrote them. */
export const unhardenCommand = (options: UnhardenOptions, terminal: Terminal): ExitCode => {
  const documents = readSources(options.filename).flatMap(documentsOf);
  const replacements = documents
    .flatMap(objectsOf)
    .filter(isStatefulSet)
    .map((object) => ({ object, value: originalOf(object.value) }));
  const files = rewritten(documents, (document) => withReplacements(document, replacements));
  if (options.diff) terminal.out(diffText(files, 'original', terminal.colour.out));
  else terminal.out(options.output === 'json' ? jsonList(files) : yamlStream(files));
  return exitCodes.ok;
};
