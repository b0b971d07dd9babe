import type { PatchOperation } from '../hardening/model.ts';

/** What a handler decides; the envelope with the UID is put around it in one place. */
export type Answer =
  | {
      allowed: true;
      patch?: readonly PatchOperation[];
      warnings?: readonly string[];
      audit?: Readonly<Record<string, string>>;
    }
  | {
      allowed: false;
      /** HTTP status that the client gets. */
      code: number;
      /** Kubernetes' machine-readable reason, `Invalid`, `Forbidden` … */
      reason: string;
      message: string;
      audit?: Readonly<Record<string, string>>;
    };

/** Characters. The API server may cut a longer warning. */
export const maxWarningLength = 256;
/** All warnings together; the API server drops what is beyond 4,096. */
export const maxWarningsLength = 3_600;
const maxAuditLength = 8_192;

const cut = (text: string, length: number): string => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1).toWellFormed()}…`;
};

/** Warnings as the API server accepts them: one line each, cut, and the last one says how many were left out. */
export function fitWarnings(warnings: readonly string[]): string[] {
  const fitting: string[] = [];
  let length = 0;
  for (const warning of new Set(warnings)) {
    const line = cut(warning, maxWarningLength);
    length += Buffer.byteLength(line);
    if (length > maxWarningsLength) {
      fitting.push(
        `… and ${new Set(warnings).size - fitting.length} more: kafka-warden lint -f FILE shows all`,
      );
      break;
    }
    fitting.push(line);
  }
  return fitting;
}

/** For the audit log: each operation of a patch with the rule that asked for it. */
export const auditOf = (patch: readonly PatchOperation[]): string =>
  cut(patch.map(({ op, path, rule }) => `${rule}: ${op} ${path}`).join('; '), maxAuditLength);

const encodePatch = (patch: readonly PatchOperation[]): string =>
  Buffer.from(
    JSON.stringify(
      patch.map(({ op, path, value }) => (op === 'remove' ? { op, path } : { op, path, value })),
    ),
  ).toString('base64');

/** The `AdmissionReview` that answers the review with this UID. */
export function envelope(uid: string, answer: Answer): object {
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: responseOf(uid, answer) };
}

function responseOf(uid: string, answer: Answer): object {
  const auditAnnotations = answer.audit ?? {};
  const audit = Object.keys(auditAnnotations).length > 0 ? { auditAnnotations } : {};
  if (!answer.allowed) {
    const { code, reason, message } = answer;
    return { uid, allowed: false, status: { status: 'Failure', code, reason, message }, ...audit };
  }
  const { patch = [], warnings = [] } = answer;
  return {
    uid,
    allowed: true,
    ...(patch.length > 0 ? { patchType: 'JSONPatch', patch: encodePatch(patch) } : {}),
    ...(warnings.length > 0 ? { warnings: fitWarnings(warnings) } : {}),
    ...audit,
  };
}
