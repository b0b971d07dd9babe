import { Document, isCollection, isScalar, visit, type Scalar } from 'yaml';
import type { Json } from '../../hardening/tree.ts';
import type { Indentation } from './layout.ts';
import { writeSchema } from './schema.ts';

/** A text of several lines that keeps its value as a block wherever it is put. */
const suitsBlock = (text: string): boolean => /^\S[^\r\t]*\S\n?$/.test(text) && !/[ ]\n/.test(text);

const quoteAwkward = (_key: unknown, scalar: Scalar): void => {
  if (typeof scalar.value === 'string' && scalar.value.includes('\n') && !suitsBlock(scalar.value))
    scalar.type = 'QUOTE_DOUBLE';
};

const documentOf = (value: Json): Document => {
  const document = new Document(value, null, { schema: writeSchema, aliasDuplicateObjects: false });
  visit(document, { Scalar: quoteAwkward });
  return document;
};

/** A value as YAML in block style, without the last line end. */
export const block = (value: Json, { step, sequences }: Indentation): string =>
  documentOf(value).toString({ lineWidth: 0, indent: step, indentSeq: sequences }).replace(/\n$/, '');

/** A value on one line: `{a: b}`, `["sh", "-c"]`. `padded` puts spaces inside the brackets. */
export const flow = (value: Json, padded: boolean): string => {
  const document = documentOf(value);
  if (isCollection(document.contents)) document.contents.flow = true;
  visit(document, {
    Scalar: (_key, scalar) => {
      if (isScalar(scalar) && typeof scalar.value === 'string' && /\n/.test(scalar.value))
        scalar.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: padded }).trimEnd();
};
