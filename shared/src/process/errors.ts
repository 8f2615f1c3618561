/**
 * What a viewer is told when there is no frame for him: an HTTP status, a stable `code` and a
 * sentence. It holds nothing that only the operator may know (no address, header or stack).
 */
export interface Problem {
  status: 400 | 403 | 404 | 405 | 408 | 414 | 416 | 431 | 502 | 503 | 504 | 508;
  code: string;
  detail: string;
  /** After how long asking again makes sense, where that is known. */
  retryAfterMs?: number;
  /** An error type of RFC 9209, where something went wrong on the way to the camera. */
  proxyError?: string | undefined;
  /** The status that the camera answered with. */
  receivedStatus?: number | undefined;
}

/** Thrown where a request can't be served; the api's one error boundary renders its `problem`. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail, options);
    this.name = 'ProblemError';
    this.problem = problem;
  }
}

/** Redis is away, too slow, or refused a command. Nothing is known of the command's effect. */
export class RedisUnavailableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RedisUnavailableError';
  }
}

/** The message of anything thrown, for logs. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
