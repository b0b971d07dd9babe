/** The API server's own answer to a request that it did not carry out (its `Status` object). */
export class ApiError extends Error {
  /** HTTP status code. */
  readonly status: number;
  /** Machine-readable, `NotFound`, `Conflict`, `AlreadyExists`, `Expired` …; empty where the server gave none. */
  readonly reason: string;
  readonly path: string;
  /** What the server asks to wait before the next try, where it says so. */
  readonly retryAfterMs: number | undefined;

  constructor(answer: {
    status: number;
    reason: string;
    message: string;
    path: string;
    retryAfterMs?: number;
  }) {
    super(`${answer.message} (${answer.status} ${answer.reason || 'no reason given'}, ${answer.path})`);
    this.name = 'ApiError';
    this.status = answer.status;
    this.reason = answer.reason;
    this.path = answer.path;
    this.retryAfterMs = answer.retryAfterMs;
  }
}

/** The API server could not be reached, or did not answer in time; nothing is known about what it did. */
export class UnreachableError extends Error {
  readonly code = 'api-server-unreachable';
  readonly path: string;

  constructor(path: string, cause: unknown) {
    super(
      `no answer from the API server (${path}): ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
      },
    );
    this.name = 'UnreachableError';
    this.path = path;
  }
}

/** True for an `ApiError` of one of these status codes. */
export const isStatus = (error: unknown, ...codes: number[]): error is ApiError =>
  error instanceof ApiError && codes.includes(error.status);
