import { z } from 'zod';

/** Where the webhook asks; another version of the two sides would ask under another path. */
export const evictionsPath = '/v1/evictions';

/** Questions and answers are small: names, and a message for a person. */
export const maxBodyBytes = 64 * 1_024;

const text = z.string().max(1_024);

const question = z.object({
  pod: text.min(1),
  podUid: text.min(1),
  dryRun: z.boolean(),
  user: text,
  node: z
    .object({ name: text.min(1), cordoned: z.boolean(), taints: z.array(text).max(256).readonly() })
    .optional(),
  override: text.optional(),
});

const answer = z.discriminatedUnion('verdict', [
  z.object({ verdict: z.enum(['allow', 'pass']), note: z.string().optional() }),
  z.object({ verdict: z.literal('deny'), reason: z.string().min(1), message: z.string().min(1) }),
]);

/** "May this pod be evicted now?", with what the webhook sees and the sidecar does not. */
export interface EvictionQuestion {
  readonly pod: string;
  readonly podUid: string;
  /** Whoever only asks gets the same answer, and nothing is reserved. */
  readonly dryRun: boolean;
  readonly user: string;
  /** Taints as kubectl writes them, `key=value:effect`. */
  readonly node?: { readonly name: string; readonly cordoned: boolean; readonly taints: readonly string[] };
  /** The pod's UID, where a person lets it go whatever the answer: it is told, so that the sidecar knows. */
  readonly override?: string;
}

/** `allow`: reserved for this pod. `pass`: not the gate's matter; the disruption budget decides alone. */
export type EvictionAnswer =
  | { readonly verdict: 'allow' | 'pass'; readonly note?: string }
  | { readonly verdict: 'deny'; readonly reason: string; readonly message: string };

export type Decide = (question: EvictionQuestion) => Promise<EvictionAnswer>;

/** What came instead of a question or an answer; the message names the fields at fault. */
export class MalformedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MalformedError';
  }
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new MalformedError(
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the body'}: ${message}`).join('; '),
  );
}

/** Throws `MalformedError`. Fields that are not known are passed over. */
export function readQuestion(value: unknown): EvictionQuestion {
  const { node, override, ...rest } = read(question, value);
  return {
    ...rest,
    ...(node === undefined ? {} : { node }),
    ...(override === undefined ? {} : { override }),
  };
}

/** Throws `MalformedError`. */
export function readAnswer(value: unknown): EvictionAnswer {
  const given = read(answer, value);
  if (given.verdict === 'deny') return given;
  const { verdict, note } = given;
  return { verdict, ...(note === undefined ? {} : { note }) };
}
