/** Where a sidecar answers, and by which key it is known. */
export interface SidecarAddress {
  host: string;
  port: number;
  servername: string;
  /** SHA-256 of its public key, in hexadecimal. */
  servingKey: string;
}

const reasons = {
  'sidecar-away': 'does not answer',
  'sidecar-slow': 'takes too long to answer',
  'sidecar-unknown':
    'answers with another key than its Service names, as it may within a second of its start',
  'sidecar-refuses':
    'ends the connection unanswered, as it does while it does not know the certificate of the webhook',
  'sidecar-other-version': 'is of another version than the webhook',
  'sidecar-failed': 'failed to decide',
} as const;

/** Why there is no answer; `code` is stable, the message goes on from "the sidecar …". */
export class SidecarError extends Error {
  readonly code: keyof typeof reasons;

  constructor(code: keyof typeof reasons, detail?: string, cause?: unknown) {
    super(detail ? `${reasons[code]} (${detail})` : reasons[code], { cause });
    this.name = 'SidecarError';
    this.code = code;
  }
}
