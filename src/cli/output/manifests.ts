import type { Json } from '../../hardening/tree.ts';
import type { ManifestDocument } from '../manifest/document.ts';
import { unifiedDiff } from './diff.ts';

/** A file's documents and what they become. */
export interface Rewritten {
  readonly name: string;
  readonly before: string;
  readonly after: string;
  readonly values: readonly Json[];
}

/** Groups documents by file and writes each with its new value. */
export const rewritten = (
  documents: readonly ManifestDocument[],
  nextValue: (document: ManifestDocument) => Json,
): Rewritten[] => {
  const files = new Map<string, ManifestDocument[]>();
  for (const document of documents) files.set(document.file, [...(files.get(document.file) ?? []), document]);
  return [...files].map(([name, ofFile]) => {
    const values = ofFile.map(nextValue);
    const after = ofFile.map((document, index) => document.withValue(values[index] ?? null)).join('');
    return { name, before: ofFile.map(({ text }) => text).join(''), after, values };
  });
};

/** Several files as one stream of documents; a single file comes out exactly as it is. */
export const yamlStream = (files: readonly Rewritten[]): string =>
  files.reduce((stream, { after }) => {
    if (stream === '') return after;
    const text = after.replace(/^\uFEFF/, '');
    const ended = stream.endsWith('\n') ? stream : `${stream}\n`;
    return `${ended}${/^(?:%|---\s)/.test(text) ? '' : '---\n'}${text}`;
  }, '');

/** One object as itself, several as a `List`, as kubectl prints them. */
export const jsonList = (files: readonly Rewritten[]): string => {
  const objects = files.flatMap(({ values }) => values).filter((value) => value !== null);
  const [only] = objects;
  const printed = objects.length === 1 ? only : { apiVersion: 'v1', kind: 'List', items: objects };
  return `${JSON.stringify(printed, undefined, 2)}\n`;
};

/** Unified diffs of the files that changed; `what` says what they became. */
export const diffText = (files: readonly Rewritten[], what: string, colour: boolean): string =>
  files
    .map(({ name, before, after }) =>
      unifiedDiff({ name, text: before }, { name: `${name} (${what})`, text: after }, colour),
    )
    .join('');
