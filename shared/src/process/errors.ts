/**
 * What a viewer gets instead of a frame: an HTTP status, a stable `code` and a sentence. Contains
 * nothing that only the operator may know (no address, header or stack).
 */
export interface Problem {
  status: 400 | 403 | 404 | 405 | 408 | 414 | 416 | 431 | 502 | 503 | 504 | 508;
  code: string;
  detail: string;
  /** When to retry, if known. */
  retryAfterMs?: number;
  /** An error type of RFC 9209, if the call to the camera failed. */
  proxyError?: string | undefined;
  /** The status of the camera's response. */
  receivedStatus?: number | undefined;
}

/** Thrown if a request cannot be served; the error boundary of its routes renders the `problem`. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail, options);
    this.name = 'ProblemError';
    this.problem = problem;
  }
}

/** Returns the error for a request whose `url`, or query, is wrong; `detail` says how to write it. */
export function invalidUrl(detail: string): ProblemError {
  return new ProblemError({ status: 400, code: 'invalid-url', detail });
}

/** Redis is unreachable, unusable or too slow. The command may still have taken effect. */
export class RedisUnavailableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RedisUnavailableError';
  }
}

/** Returns the message of anything thrown, for logs. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
