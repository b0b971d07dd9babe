import { LineCounter, parseAllDocuments, type Document, type YAMLParseError } from 'yaml';
import { equal, type Json } from '../../hardening/tree.ts';
import { CliError, type Place } from '../errors.ts';
import { applyEdits, editsFor } from './edit.ts';
import { layoutOf, NotFollowed, type Layout } from './layout.ts';
import { nodeAt } from './pointer.ts';
import type { Source } from './read.ts';
import { block } from './render.ts';
import { readSchema } from './schema.ts';
import { NoJsonForm, readerOf, type Reader } from './value.ts';

/** One document of a manifest file. */
export interface ManifestDocument {
  readonly file: string;
  /** From 1. */
  readonly index: number;
  /** The JSON value, as kubectl reads it; null where the document is empty or holds only comments. */
  readonly value: Json;
  /** The text, separators and comments included: all documents' texts in a row are the file. */
  readonly text: string;
  /** The line, from 1, of the place that a JSON pointer names, or of the nearest one around it that stands in the text. */
  lineOf(pointer: string): number | undefined;
  /** The text with another value; everything that is the same in both stays as it was written. */
  withValue(next: Json): string;
}

const parse = (text: string, lines?: LineCounter): Document[] => {
  const parsed = parseAllDocuments(text, {
    schema: readSchema,
    prettyErrors: false,
    logLevel: 'silent',
    ...(lines && { lineCounter: lines }),
  });
  return 'empty' in parsed ? [] : parsed;
};

const template = /\{\{-?\s*(?:[.$"(]|[a-z]+\b)/;

const helm = (place: Place): CliError =>
  new CliError(
    'helm-template',
    'this is a template ({{ … }}), not a manifest: render it first (helm template).',
    place,
  );

const duplicateKey = (text: string, offset: number): string => {
  const key = /[^:\n]*/.exec(text.slice(offset))?.[0].trim() ?? '';
  return `the key ${key} stands twice in the same object; remove one.`;
};

/** The parser calls itself for each level, and stops where the stack ends. */
const tooDeep = 'it is nested too deeply to be read, far beyond any Kubernetes object.';

const syntaxError = (text: string, error: YAMLParseError, place: Place): CliError => {
  const broken = template.exec(text);
  if (broken) return helm({ file: place.file, line: text.slice(0, broken.index).split('\n').length });
  const message =
    error.code === 'DUPLICATE_KEY'
      ? duplicateKey(text, error.pos[0])
      : /call stack/.test(error.message)
        ? tooDeep
        : `${error.message.replace(/\.?$/, '.')}`;
  return new CliError('invalid-yaml', message, place);
};

/** A whole document anew, below the comments and separators that stand above it. */
const writtenAnew = (text: string, start: number, next: Json): string => {
  const layout = layoutOf(text);
  const lead = text
    .slice(0, start)
    .split('\n')
    .filter((line) => /^(?:\s*|#.*|%.*|---\s*(?:#.*)?|\s+#.*)$/.test(line.replace(/^\uFEFF/, '')))
    .join('\n');
  const separated = lead === '' || lead.endsWith('\n') ? lead : `${lead}${layout.eol}`;
  const body = block(next, { step: 2, sequences: false }).replaceAll('\n', layout.eol);
  return `${separated}${body}${layout.eol}`;
};

const readsAs = (text: string, next: Json): boolean => {
  const [document, ...others] = parse(text);
  if (document === undefined || document.errors.length > 0) return false;
  // Text behind the document's end marker may parse as one more, empty document.
  if (others.some(({ contents, errors }) => errors.length > 0 || readerOf(document).value(contents) !== null))
    return false;
  return equal(readerOf(document).value(document.contents), next);
};

const edited = (text: string, next: Json): string | undefined => {
  const [document] = parse(text);
  if (document === undefined) return undefined;
  try {
    const layout: Layout = layoutOf(text);
    const result = applyEdits(text, editsFor(document, next, { layout, reader: readerOf(document) }));
    return readsAs(result, next) ? result : undefined;
  } catch (error) {
    if (error instanceof NotFollowed) return undefined;
    throw error;
  }
};

const jsonIndentation = (text: string): string => /\n([ \t]+)"/.exec(text)?.[1] ?? '';

/** Writes JSON as JSON, with the indentation and the last line end that it had. */
const jsonText = (text: string, next: Json): string => {
  const [, lead = ''] = /^(\uFEFF?\s*)/.exec(text) ?? [];
  const trail = text.slice(text.trimEnd().length);
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  return lead + JSON.stringify(next, undefined, jsonIndentation(text)).replaceAll('\n', eol) + trail;
};

interface Parsed {
  readonly source: Source;
  readonly document: Document;
  readonly reader: Reader;
  readonly lines: LineCounter;
  readonly span: readonly [number, number];
  readonly index: number;
}

const valueOf = ({ source, document, reader, lines, index }: Parsed): Json => {
  try {
    return reader.value(document.contents);
  } catch (error) {
    if (error instanceof RangeError)
      throw new CliError('invalid-yaml', tooDeep, { file: source.name, document: index });
    if (!(error instanceof NoJsonForm)) throw error;
    const place = { file: source.name, document: index, line: lines.linePos(error.offset).line };
    if (/^[?\s]*\{\{/.test(source.text.slice(error.offset - 1))) throw helm(place);
    throw new CliError('invalid-yaml', `${error.message}.`, place);
  }
};

const isJson = (text: string): boolean => {
  if (!/^\uFEFF?\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text.replace(/^\uFEFF/, ''));
    return true;
  } catch {
    return false;
  }
};

const manifestDocument = (parsed: Parsed, json: boolean): ManifestDocument => {
  const { source, document, lines, span, index, reader } = parsed;
  const text = source.text.slice(...span);
  const value = valueOf(parsed);
  const bodyStart = (document.contents?.range?.[0] ?? span[0]) - span[0];
  return {
    file: source.name,
    index,
    value,
    text,
    lineOf: (pointer) => {
      const offset = nodeAt(document.contents, pointer, reader)?.range?.[0];
      return offset === undefined ? undefined : lines.linePos(offset).line;
    },
    withValue: (next) => {
      if (equal(value, next)) return text;
      if (json) return jsonText(text, next);
      return edited(text, next) ?? writtenAnew(text, bodyStart, next);
    },
  };
};

/**
 * Reads a file's documents. Throws `CliError` `invalid-yaml` or `helm-template`, naming the file, the document and
 * the line.
 */
export const documentsOf = (source: Source): ManifestDocument[] => {
  const lines = new LineCounter();
  const documents = parse(source.text, lines);
  const json = isJson(source.text);
  const result: ManifestDocument[] = [];
  let start = 0;
  for (const [position, document] of documents.entries()) {
    const index = position + 1;
    const [error] = document.errors;
    if (error) {
      const { line } = lines.linePos(error.pos[0]);
      throw syntaxError(source.text, error, { file: source.name, document: index, line });
    }
    const end =
      position === documents.length - 1 ? source.text.length : (document.range?.[2] ?? source.text.length);
    const parsed = {
      source,
      document,
      reader: readerOf(document),
      lines,
      span: [start, end] as const,
      index,
    };
    result.push(manifestDocument(parsed, json));
    start = end;
  }
  if (result.length === 0) return [emptyDocument(source)];
  return result;
};

/** A file with nothing but blanks and comments. */
const emptyDocument = ({ name, text }: Source): ManifestDocument => ({
  file: name,
  index: 1,
  value: null,
  text,
  lineOf: () => undefined,
  withValue: () => text,
});
