import { ResponseError, protocolErrorsCodesById } from '@platformatic/kafka';
import { KafkaError } from './errors.ts';

/** Throws what stands for a call that was refused as a whole; for parsers of answers. */
export function throwIfRefused(api: { key: number; version: number }, code: number, message: string | null) {
  if (code === 0) return;
  if (protocolErrorsCodesById[code] !== undefined) {
    throw new ResponseError(api.key, api.version, { '/': [code, message] }, undefined);
  }
  throw new KafkaError('kafka-refused', `Call ${api.key} was refused with error ${code}`, {
    reason: `error ${code}`,
  });
}
