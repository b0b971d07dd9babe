import fc from 'fast-check';
import type { Subject } from '../subject.ts';

const awkward = fc.constantFrom(...' ,=+<>#;"\\/éß漢😀', '  ', ' #', '\\ ');
const part = fc
  .array(fc.oneof(awkward, fc.string({ unit: 'grapheme', maxLength: 4 })), { minLength: 1, maxLength: 8 })
  .map((pieces) => pieces.join(''))
  // eslint-disable-next-line no-control-regex -- refused in subjects
  .filter((text) => text.length > 0 && text.length <= 64 && !/[\u0000-\u001f\u007f]/.test(text));

/** Subjects full of characters that distinguished names must escape. */
export const subjects: fc.Arbitrary<Subject> = fc.record(
  { commonName: part, organization: part, organizationalUnit: part },
  { requiredKeys: ['commonName'] },
);
