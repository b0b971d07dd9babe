/** Every way in which a request is refused before it is a review: HTTP status, and what to do about it. */
const catalogue = {
  'body-too-large': {
    status: 413,
    remedy: 'Send at most 8 MiB; the API server itself takes no object larger than 3 MiB.',
  },
  'content-type-unsupported': { status: 415, remedy: 'Send content-type: application/json.' },
  'encoding-unsupported': { status: 415, remedy: 'Send the body as it is, without content-encoding.' },
  'body-incomplete': { status: 400, remedy: 'Send the whole body; the connection ended within it.' },
  'json-malformed': { status: 400, remedy: 'Send one AdmissionReview as JSON in UTF-8.' },
  'review-malformed': {
    status: 400,
    remedy: 'Send an AdmissionReview as the API server does; the message names the fields at fault.',
  },
  'version-unsupported': {
    status: 422,
    remedy: 'Set admissionReviewVersions: [v1] in the webhook configuration.',
  },
  'uid-missing': { status: 400, remedy: 'Give request.uid: the answer has to repeat it.' },
  'path-unknown': { status: 404, remedy: 'See the webhook configurations for the paths that exist.' },
  'method-unsupported': { status: 405, remedy: 'Send reviews by POST.' },
} as const;

export type RequestErrorCode = keyof typeof catalogue;

/** A request that cannot be answered as a review; `code` is stable. */
export class RequestError extends Error {
  readonly code: RequestErrorCode;
  readonly status: number;
  readonly remedy: string;
  /** The review's UID, where it could be read. */
  readonly uid: string | undefined;

  constructor(code: RequestErrorCode, message: string, uid?: string) {
    super(message);
    this.name = 'RequestError';
    this.code = code;
    this.status = catalogue[code].status;
    this.remedy = catalogue[code].remedy;
    this.uid = uid;
  }
}
