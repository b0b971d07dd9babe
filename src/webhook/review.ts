import { z } from 'zod';
import { RequestError } from './errors.ts';

export type JsonObject = Record<string, unknown>;

/** One admission question, decoded: what handlers need of an `AdmissionReview` (admission.k8s.io/v1). */
export interface Review {
  uid: string;
  operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  /** Empty for objects without a namespace. */
  namespace: string;
  /** Empty where the API server will generate the name. */
  name: string;
  kind: string;
  dryRun: boolean;
  username: string;
  object: JsonObject | undefined;
  oldObject: JsonObject | undefined;
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const payload = z.custom<JsonObject>(isObject, 'expected an object').nullish();

const request = z.object({
  operation: z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']),
  kind: z.object({ group: z.string().default(''), kind: z.string() }),
  namespace: z.string().default(''),
  name: z.string().default(''),
  dryRun: z.boolean().nullish(),
  userInfo: z.object({ username: z.string().default('') }).default({ username: '' }),
  object: payload,
  oldObject: payload,
});

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    const reason = bytes.length === 0 ? 'the body is empty' : 'the body is not JSON';
    // The parser's own message may quote the body, which may hold anything.
    const at = error instanceof Error ? / at position (\d+)/.exec(error.message)?.[1] : undefined;
    throw new RequestError('json-malformed', at ? `${reason}: position ${at}` : reason);
  }
}

function uidOf(review: JsonObject): string | undefined {
  const uid = isObject(review['request']) ? review['request']['uid'] : undefined;
  return typeof uid === 'string' && uid !== '' ? uid : undefined;
}

/** A name as it was sent; what is none may be as large as the body, and is not sent back. */
const shown = (name: unknown): string =>
  typeof name === 'string' ? JSON.stringify(name.slice(0, 100)) : `a ${typeof name}`;

/** Decodes the body of a request. Throws `RequestError`, with the UID wherever it can be read. */
export function decodeReview(bytes: Buffer): Review {
  const review = parse(bytes);
  if (!isObject(review)) throw new RequestError('review-malformed', 'the body is JSON, but not an object');
  const uid = uidOf(review);
  const { apiVersion, kind } = review;
  if (apiVersion !== 'admission.k8s.io/v1' || kind !== 'AdmissionReview')
    throw new RequestError(
      'version-unsupported',
      `expected an AdmissionReview of admission.k8s.io/v1, got ${shown(kind)} of ${shown(apiVersion)}`,
      uid,
    );
  if (uid === undefined) throw new RequestError('uid-missing', 'the review has no request.uid');
  const read = request.safeParse(review['request']);
  if (!read.success) {
    const faults = read.error.issues.map((issue) => `request.${issue.path.join('.')}: ${issue.message}`);
    throw new RequestError('review-malformed', faults.join('; '), uid);
  }
  const { operation, namespace, name, dryRun, userInfo, object, oldObject } = read.data;
  return {
    uid,
    operation,
    namespace,
    name,
    kind: read.data.kind.kind,
    dryRun: dryRun ?? false,
    username: userInfo.username,
    object: object ?? undefined,
    oldObject: oldObject ?? undefined,
  };
}
