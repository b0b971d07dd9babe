import forge from 'node-forge';

const { asn1 } = forge;
const { Class, Type } = asn1;

/** One ASN.1 value, as node-forge holds it: contents are binary strings, one character a byte. */
export type Der = forge.asn1.Asn1;

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const primitive = (type: forge.asn1.Type, contents: string): Der =>
  asn1.create(Class.UNIVERSAL, type, false, contents);

export const sequence = (...items: Der[]): Der => asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, items);
export const set = (...items: Der[]): Der => asn1.create(Class.UNIVERSAL, Type.SET, true, items);
export const oid = (dotted: string): Der => primitive(Type.OID, asn1.oidToDer(dotted).getBytes());
export const nil = (): Der => primitive(Type.NULL, '');
export const boolean = (value: boolean): Der => primitive(Type.BOOLEAN, value ? '\xff' : '\0');
export const utf8 = (value: string): Der => primitive(Type.UTF8, text(Buffer.from(value, 'utf8')));
/** Takes characters, not bytes: node-forge writes each as two bytes. */
export const bmpString = (value: string): Der => primitive(Type.BMPSTRING, value);
export const octets = (bytes: Uint8Array): Der => primitive(Type.OCTETSTRING, text(bytes));
/** A positive integer from its big-endian bytes or a small number. */
export const integer = (value: number | Uint8Array): Der =>
  primitive(Type.INTEGER, typeof value === 'number' ? asn1.integerToDer(value).getBytes() : text(value));
/** `unusedBits`: how many low bits of the last byte do not count. */
export const bits = (bytes: Uint8Array, unusedBits = 0): Der =>
  primitive(Type.BITSTRING, String.fromCharCode(unusedBits) + text(bytes));

/** UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 §4.1.2.5); whole seconds, UTC. */
export function time(date: Date): Der {
  const digits = `${date.toISOString().slice(0, 19).replace(/\D/g, '')}Z`;
  return date.getUTCFullYear() < 2050
    ? primitive(Type.UTCTIME, digits.slice(2))
    : primitive(Type.GENERALIZEDTIME, digits);
}

/** `[tag] EXPLICIT`: wraps whole values. */
export const tagged = (tag: number, ...items: Der[]): Der =>
  asn1.create(Class.CONTEXT_SPECIFIC, tag, true, items);
/** `[tag] IMPLICIT` over a primitive type: the contents only. */
export const taggedBytes = (tag: number, bytes: Uint8Array): Der =>
  asn1.create(Class.CONTEXT_SPECIFIC, tag, false, text(bytes));

export const encode = (value: Der): Buffer => Buffer.from(asn1.toDer(value).getBytes(), 'latin1');

type FromDer = (
  bytes: string,
  options: { strict: boolean; parseAllBytes: boolean; decodeBitStrings: boolean },
) => Der;

/**
 * Reads one DER value and refuses bytes after it. Bit strings stay bytes (by default node-forge tries to read
 * them as ASN.1, and a public key may look like it); its type declarations lack these options.
 */
export function decode(bytes: Uint8Array): Der {
  const options = { strict: true, parseAllBytes: true, decodeBitStrings: false };
  return (asn1.fromDer as unknown as FromDer)(text(bytes), options);
}

/** The parts of a constructed value; none for a primitive one. */
export const children = (value: Der | undefined): Der[] => (Array.isArray(value?.value) ? value.value : []);
/** The contents of a primitive value; empty for a constructed one. */
export const contents = (value: Der | undefined): Buffer =>
  Buffer.from(typeof value?.value === 'string' ? value.value : '', 'latin1');
export const isTagged = (value: Der, tag: number): boolean =>
  value.tagClass === Class.CONTEXT_SPECIFIC && Number(value.type) === tag;
/** The dotted form of an object identifier. */
export const dotted = (value: Der | undefined): string =>
  value?.type === Type.OID ? asn1.derToOid(contents(value).toString('latin1')) : '';
