import { z } from 'zod';
import type { DisruptionRecord, Json, RecordKnown } from './record.ts';
import { emptyRecord, schemaVersion } from './record.ts';
import { kinds, knowsStep, steps } from './steps.ts';

/** A record that cannot be trusted; `code` is stable, the message names the field and the remedy. */
export class RecordError extends Error {
  readonly code = 'RECORD_INVALID' as const;
  readonly field: string;

  constructor(field: string, complaint: string, remedy: string) {
    super(`${field}: ${complaint}. ${remedy}`);
    this.name = 'RecordError';
    this.field = field;
  }
}

const remedy =
  'See that every broker is up and in sync and that no rebalance is running, then delete the ConfigMap; nothing may go until then';

const timeMs = z.number().int().nonnegative();
const subject = {
  id: z.string().min(1),
  by: z.string().min(1),
  sinceMs: timeMs,
  pod: z.string().min(1).optional(),
  podUid: z.string().min(1).optional(),
  broker: z.number().int().nonnegative().optional(),
  set: z.string().min(1).optional(),
};
const reservation = z.strictObject({
  state: z.literal('reserved'),
  kind: z.literal('eviction'),
  ...subject,
  pod: z.string().min(1),
  podUid: z.string().min(1),
  expiresMs: timeMs,
});
const frozen = z.strictObject({
  set: z.string().min(1),
  revision: z.string().min(1),
  partition: z.number().int().nonnegative(),
  was: z.number().int().nonnegative(),
  pending: z.literal(true).optional(),
});
const lease = z.strictObject({
  state: z.literal('held'),
  kind: z.enum(kinds),
  ...subject,
  step: z.enum(steps),
  stepSinceMs: timeMs,
  progress: z.strictObject({ bytesLeft: z.number().nonnegative(), atMs: timeMs }).optional(),
  frozen: z.array(frozen).optional(),
  journal: z.json().optional(),
});
const record = z.strictObject({
  schemaVersion: z.literal(schemaVersion),
  holder: z.discriminatedUnion('state', [reservation, lease]).optional(),
  evictions: z.array(z.strictObject({ pod: z.string(), atMs: timeMs })),
});

/**
 * Reads a record strictly: what this version does not know it does not carry on.
 * @throws RecordError naming the first field that does not fit, and what to do
 */
export function parseRecord(text: string): DisruptionRecord {
  const json = jsonOf(text);
  const version = (json as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (typeof version === 'number' && version > schemaVersion)
    throw new RecordError(
      'schemaVersion',
      `is ${version}, and this kafka-warden knows ${schemaVersion}`,
      'Upgrade the sidecar to the version that wrote it, or one after it',
    );
  const parsed = record.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new RecordError(issue?.path.join('.') || 'record', issue?.message ?? 'does not fit', remedy);
  }
  const { holder } = parsed.data;
  if (holder?.state === 'held' && !knowsStep(holder.kind, holder.step))
    throw new RecordError('holder.step', `a ${holder.kind} has no step "${holder.step}"`, remedy);
  return parsed.data as DisruptionRecord;
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new RecordError('record', `is no JSON (${(error as Error).message})`, remedy);
  }
}

/** As `parseRecord`, with a damaged record as a value: the gate then says no to everything. No text is an empty record. */
export function recordKnown(text: string | undefined): RecordKnown {
  if (text === undefined) return { known: true, record: emptyRecord };
  try {
    return { known: true, record: parseRecord(text) };
  } catch (error) {
    if (error instanceof RecordError) return { known: false, problem: error.message };
    throw error;
  }
}

/** What `parseRecord` reads. */
export const recordText = (value: DisruptionRecord): string => JSON.stringify(value);
