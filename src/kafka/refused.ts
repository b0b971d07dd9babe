import { ResponseError, protocolErrors, protocolErrorsCodesById } from '@platformatic/kafka';
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

/** Throws what stands for "not the controller" where an answer says so of the things asked for, instead of the call. */
export function throwIfElsewhere(
  api: { key: number; version: number },
  outcomes: readonly { readonly error?: { readonly reason: string } }[],
): void {
  if (!outcomes.some(({ error }) => error?.reason === 'NOT_CONTROLLER')) return;
  throwIfRefused(api, protocolErrors['NOT_CONTROLLER']?.code ?? -1, null);
}
