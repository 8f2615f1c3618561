import { cachingHintsOf } from '../caching-hints.ts';
import type { Login } from '../login/login.ts';
import { validatorsOf } from '../validators.ts';
import { createHeadReader, type ResponseHead } from './head.ts';
import { badResponse, type ReadResult } from './read-result.ts';
import { type BodyOptions, ResponseBody } from './response-body.ts';
import { retryAfterMs } from './retry-after.ts';

export interface ReadOptions extends BodyOptions {
  /** Without conditions, a 304 is a fault. */
  isConditional: boolean;
  login: Pick<Login, 'onResponse'>;
}

/** Reads one response, piece by piece. */
export interface ResponseReader {
  read(piece: Buffer): void;
  /** The connection has ended; `isClean` unless it was reset. */
  end(isClean: boolean): void;
  /** Releases what the reader holds. */
  close(): void;
  /** How far the response has come. */
  readonly progress: 'nothing' | 'head' | 'body';
}

/** A camera may send a hint or two before its response. */
const MAX_INFORMATIONAL = 8;
const TOO_MANY_INFORMATIONAL = badResponse(
  'the camera sent too many 1xx responses and no final one',
  'http_protocol_error',
);

/** @param settle called at least once; only the first result counts */
export function createResponseReader(
  options: ReadOptions,
  settle: (result: ReadResult) => void,
): ResponseReader {
  const heads = createHeadReader();
  let informationalCount = 0;
  let progress: ResponseReader['progress'] = 'nothing';
  let body: ResponseBody | undefined;
  const readInformational = (rest: Buffer) => {
    informationalCount += 1;
    if (informationalCount > MAX_INFORMATIONAL) settle(TOO_MANY_INFORMATIONAL);
    else readHead(rest);
  };
  const readFinal = (head: ResponseHead, rest: Buffer) => {
    const decided = resultOfHead(head, options);
    if (decided) {
      settle(decided);
      return;
    }
    progress = 'body';
    const validators = validatorsOf(head.fields);
    const hints = cachingHintsOf(head.fields);
    body = new ResponseBody(head.fields, options, (found) =>
      settle(found.outcome === 'read' ? { ...found, validators, hints } : found),
    );
    body.read(rest);
  };
  const readHead = (piece: Buffer): void => {
    if (piece.length > 0) progress = 'head';
    const result = heads.read(piece);
    if (result.state === 'invalid') settle(badResponse(result.fault, 'http_protocol_error'));
    if (result.state !== 'whole') return;
    if (isInformational(result.head)) readInformational(result.rest);
    else readFinal(result.head, result.rest);
  };
  return {
    get progress() {
      return progress;
    },
    read: (piece) => (body ? body.read(piece) : readHead(piece)),
    end: (isClean) => (body ? body.end(isClean) : settle(CLOSED)),
    close: () => body?.close(),
  };
}

/** 101 is final: nothing more of HTTP would follow. */
function isInformational({ statusCode }: ResponseHead): boolean {
  return statusCode >= 100 && statusCode < 200 && statusCode !== 101;
}

const CLOSED = badResponse(
  'the camera closed the connection before its response was complete',
  'connection_terminated',
);

/** With a whole image, these are images too (RFC 9110 15.3.4, 15.3.7). */
const IMAGE_STATUSES = new Set([200, 203, 206]);

const PROXY_LOGIN =
  'a proxy in front of the camera wants a user name and password (407); write them into the proxy of its source';
const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308]);

/** Returns the result of a response whose body need not be read. */
function resultOfHead(head: ResponseHead, options: ReadOptions): ReadResult | undefined {
  const { statusCode, fields } = head;
  // Neither HTTP nor announcements allow other numbers.
  if (statusCode < 100 || statusCode > 599) {
    return badResponse('the camera responded with an invalid HTTP status', 'http_protocol_error');
  }
  const loggedIn = options.login.onResponse(statusCode, fields);
  if (loggedIn.next === 'retry') return { outcome: 'challenged' };
  if (loggedIn.next === 'fail') {
    return badResponse(loggedIn.fault, 'destination_unavailable', { receivedStatus: statusCode });
  }
  if (statusCode === 304 && options.isConditional) {
    return { outcome: 'unchanged', hints: cachingHintsOf(fields) };
  }
  if (IMAGE_STATUSES.has(statusCode)) return undefined;
  const { location } = fields;
  if (REDIRECT_STATUSES.has(statusCode) && location) {
    return { outcome: 'redirected', statusCode, location };
  }
  if (statusCode === 407) return badResponse(PROXY_LOGIN, 'proxy_configuration_error');
  const mayRetryLater = statusCode === 429 || statusCode === 503;
  return badResponse(`the camera responded with ${statusCode}`, 'destination_unavailable', {
    receivedStatus: statusCode,
    retryAfterMs: mayRetryLater ? retryAfterMs(fields['retry-after'], fields.date) : undefined,
  });
}
