import {
  GenericError,
  MultipleErrors,
  ProtocolError,
  ResponseError,
  TimeoutError,
} from '@platformatic/kafka';

/** Every way in which a call to Kafka fails: the stable code, and what the person can do about it. */
const remedies = {
  'kafka-closed': 'This client was closed; open a new one.',
  'kafka-protocol': 'Report this with the Kafka version: the answer is not what the protocol says.',
  'kafka-refused': 'Read the reason that Kafka gives; the call itself reached the cluster.',
  'kafka-timeout': 'Check that the brokers run and are not overloaded; the call is repeated later.',
  'kafka-tls':
    'Check that the broker and this client have certificates of the same authority, that none has expired, and that the names in them are those by which the broker is reached.',
  'kafka-unauthorized': 'Make the principal of this client a super user, or grant it the operation.',
  'kafka-unreachable': 'Check that the broker pods run and that network policies allow this connection.',
  'kafka-unsupported':
    'Use a Kafka version that has this call (in KRaft mode 3.5 or later, in ZooKeeper mode 3.0 or later), or finalize its feature level.',
} as const;

export type KafkaErrorCode = keyof typeof remedies;

export interface KafkaErrorDetails {
  /** Kafka's own name of the refusal, such as `UNKNOWN_TOPIC_OR_PARTITION`. */
  readonly reason?: string;
  /** Whether the same call may pass later with nothing changed. */
  readonly mayPassLater?: boolean;
  readonly cause?: unknown;
}

/** A call that failed. `code` is stable and may be matched on; the message holds no secret. */
export class KafkaError extends Error {
  override readonly name = 'KafkaError';
  readonly code: KafkaErrorCode;
  /** What failed and where, without the remedy. */
  readonly problem: string;
  readonly remedy: string;
  /** Kafka's own name of the refusal; absent where the call did not reach Kafka. */
  readonly reason: string | undefined;
  readonly mayPassLater: boolean;

  constructor(code: KafkaErrorCode, problem: string, details: KafkaErrorDetails = {}) {
    super(`${problem}. ${remedies[code]}`, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.problem = problem;
    this.remedy = remedies[code];
    this.reason = details.reason;
    this.mayPassLater = details.mayPassLater ?? passesLater.has(code);
  }
}

const passesLater = new Set<KafkaErrorCode>(['kafka-timeout', 'kafka-unreachable']);

/** Kafka's authorization refusals (`Errors.java`). */
const unauthorized = new Set([
  'CLUSTER_AUTHORIZATION_FAILED',
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
]);

/** Whatever a call threw, as one of our errors; `what` names call and broker. */
export function asKafkaError(error: unknown, what: string): KafkaError {
  if (error instanceof KafkaError) return error;
  const refusal = protocolErrorIn(error);
  if (refusal !== undefined) return fromRefusal(refusal, what);
  if (error instanceof TimeoutError || hasCause(error, isTimeout)) {
    return new KafkaError('kafka-timeout', `${what} got no answer in time`, { cause: error });
  }
  if (hasCause(error, isTlsFailure)) {
    return new KafkaError('kafka-tls', `${what} failed in the TLS handshake: ${innermost(error)}`, {
      cause: error,
      mayPassLater: true,
    });
  }
  if (error instanceof GenericError && error.code !== 'PLT_KFK_NETWORK') {
    return new KafkaError('kafka-protocol', `${what} failed: ${error.message}`, { cause: error });
  }
  return new KafkaError('kafka-unreachable', `${what} failed: ${innermost(error)}`, { cause: error });
}

function fromRefusal(refusal: ProtocolError, what: string): KafkaError {
  const reason = String(refusal['apiId']);
  const message: unknown = refusal['serverErrorMessage'];
  const detail = typeof message === 'string' && message.length > 0 ? `: ${message}` : '';
  const code = unauthorized.has(reason)
    ? 'kafka-unauthorized'
    : reason === 'UNSUPPORTED_VERSION'
      ? 'kafka-unsupported'
      : 'kafka-refused';
  return new KafkaError(code, `${what} was refused with ${reason}${detail}`, {
    reason,
    mayPassLater: refusal['canRetry'] === true,
    cause: refusal,
  });
}

function protocolErrorIn(error: unknown): ProtocolError | undefined {
  if (error instanceof ProtocolError) return error;
  if (!(error instanceof ResponseError) && !(error instanceof MultipleErrors)) return undefined;
  return error.errors.map(protocolErrorIn).find((found) => found !== undefined);
}

const errorsOf = (error: unknown): Error[] => {
  if (!(error instanceof Error)) return [];
  const nested = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return [error, ...[error.cause, ...nested].flatMap(errorsOf)];
};

const hasCause = (error: unknown, test: (cause: Error & { code?: unknown }) => boolean): boolean =>
  errorsOf(error).some(test);

const isTimeout = (error: Error & { code?: unknown }): boolean =>
  error.code === 'ETIMEDOUT' || error instanceof TimeoutError;

/** OpenSSL's and Node's codes for handshakes that failed on either side (`tls` and `x509` error codes). */
const tlsCodes =
  /^(ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH)/;

const isTlsFailure = (error: Error & { code?: unknown }): boolean =>
  (typeof error.code === 'string' && tlsCodes.test(error.code)) || /TLS handshake failed/.test(error.message);

/** OpenSSL's texts say what happened in one of many fields: `…:SSL routines:…:ssl/tls alert unknown ca:…`. */
function innermost(error: unknown): string {
  const last = errorsOf(error).at(-1);
  if (last === undefined) return String(error);
  const [, told] = /SSL routines:[^:]*:([^:]+):/.exec(last.message) ?? [];
  return (told ?? last.message).trim().replace(/\.$/, '');
}
