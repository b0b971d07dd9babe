/** Every way in which a request is refused before it is a question: HTTP status, and what to do about it. */
const catalogue = {
  'path-unknown': {
    status: 404,
    remedy:
      'Ask POST /v1/evictions. Where a webhook asks otherwise, it is of another version than this sidecar.',
  },
  'method-unsupported': { status: 405, remedy: 'Ask by POST.' },
  'content-type-unsupported': { status: 415, remedy: 'Send content-type: application/json, not encoded.' },
  'body-too-large': { status: 413, remedy: 'Send at most 64 KiB; a question has a few hundred bytes.' },
  'body-incomplete': { status: 400, remedy: 'Send the whole body; the connection ended within it.' },
  'question-malformed': {
    status: 400,
    remedy: 'Send one question as JSON in UTF-8; the message names the fields.',
  },
  'decision-failed': { status: 500, remedy: "The sidecar's log has the cause; ask again in a few seconds." },
} as const;

export type QuestionErrorCode = keyof typeof catalogue;

/** A request that is no question, or one that could not be decided; `code` is stable. */
export class QuestionError extends Error {
  readonly code: QuestionErrorCode;
  readonly status: number;
  readonly remedy: string;

  constructor(code: QuestionErrorCode, message: string) {
    super(message);
    this.name = 'QuestionError';
    this.code = code;
    this.status = catalogue[code].status;
    this.remedy = catalogue[code].remedy;
  }
}
