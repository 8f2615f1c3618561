import { once } from 'node:events';
import { type ClientRequest, request } from 'node:http';
import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Dimensions } from '@lastframe/shared/frames/frame';
import type { Validators } from '@lastframe/shared/frames/frame-store';
import packageJson from '../../package.json' with { type: 'json' };
import { dimensionsOf } from '../image/image-dimensions.ts';
import { sniffImage } from '../image/image-type.ts';
import type { AnswerGuard } from './answer-guard.ts';
import type { Authorizer } from './authorization.ts';
import { type ByteBudget, type ByteShare, budgetGroupOf } from './byte-budget.ts';
import { CutOffError, explainCallError } from './call-error.ts';
import { type Connection, HUNG_UP } from './connect.ts';
import { type Answer, type Body, type Fault, type Reading, readAnswer } from './read-answer.ts';
import { conditionalHeaders } from './validators.ts';

export type Capture =
  | {
      outcome: 'captured';
      bytes: Buffer;
      contentType: string;
      dimensions?: Dimensions | undefined;
      validators?: Validators;
    }
  /** 304: what the call's validators stand for is still the last image. */
  | { outcome: 'unchanged' }
  | CaptureFailure
  /** The camera told how to ask: the next call carries the answer. It says nothing about the camera. */
  | { outcome: 'challenged' }
  /** The bodies of other calls take all that there is for them. It says nothing about the camera. */
  | { outcome: 'no room' }
  /** We hung up, for a reason of our own. */
  | { outcome: 'aborted' };

export interface CaptureFailure {
  outcome: 'failed';
  status: 502 | 504;
  /** For people; it holds no address, header or secret. */
  reason: string;
  /** An error type of RFC 9209. */
  error?: string | undefined;
  receivedStatus?: number | undefined;
  /** The camera's own wish. */
  retryAfterMs?: number;
}

/** One request on a connected socket, of which not a byte is sent before `send`. */
export interface PreparedCall {
  /** Sends it before returning; resolves when the answer is there, refused, or late. Never throws. */
  send(signal: AbortSignal): Promise<Capture>;
  destroy(): void;
  /** What was captured is stored, or dropped: its bytes no longer count in the byte budget. */
  release(): void;
}

/** What a call says beside what its source wants. */
export interface CallHeaders {
  /** Our name in `Via`: a call that comes back to us is a loop. */
  via?: string | undefined;
  /** Of the last frame: the camera need not send it again. */
  validators?: Validators | undefined;
}

const USER_AGENT = `Lastframe/${packageJson.version} (+https://github.com/lastframe/lastframe)`;

/** Hands the socket to a request, so that `send` has nothing left to wait for. */
export async function prepareRequest(
  { socket, guard }: Connection,
  camera: Camera,
  budget: ByteBudget,
  authorizer: Authorizer,
  more: CallHeaders = {},
): Promise<PreparedCall> {
  const url = new URL(camera.url);
  const authorization = authorizer.next(camera);
  const conditions = conditionalHeaders(more.validators);
  const req = request({
    // No agent: one request per connection, and so no hidden repeats on a kept-alive one.
    createConnection: () => socket,
    method: 'GET',
    path: url.pathname + url.search,
    headers: {
      Host: url.host,
      'User-Agent': USER_AGENT,
      Accept: 'image/*',
      'Accept-Encoding': 'identity',
      ...camera.source.headers,
      ...(authorization !== undefined && { Authorization: authorization }),
      ...(more.via !== undefined && { Via: `1.1 ${more.via}` }),
      ...conditions,
    },
  });
  let share: ByteShare | undefined;
  const exchange = listenToAnswer(req, guard, {
    maxBytes: camera.source.maxFrameBytes,
    openShare: (evict) => {
      share = budget.open(budgetGroupOf(camera), evict);
      return share;
    },
    guard,
    isConditional: Object.keys(conditions).length > 0,
    isChallenge: (res) => {
      if (res.statusCode === 401) return authorizer.refused(camera, res.headers, authorization);
      authorizer.answered(camera, res.headers);
      return false;
    },
  });
  await once(req, 'socket');
  return {
    send: (signal) => send(req, exchange, camera.source.timeoutMs, signal),
    destroy: () => void req.destroy(),
    release: () => share?.release(),
  };
}

interface Exchange {
  answered: Promise<Answer>;
  /** Ends the call, whatever its streams do. */
  fail(error: Error): void;
  /** From now on the camera may speak. */
  open(): void;
}

/**
 * Listens from the request's creation to its close, so that whatever the camera does ends this call
 * and nothing else: an error event without a listener would end the process.
 */
function listenToAnswer(req: ClientRequest, guard: AnswerGuard, reading: Reading): Exchange {
  const { promise: answered, resolve, reject } = Promise.withResolvers<Answer>();
  // Before `send` nobody waits for it yet.
  answered.catch(() => {});
  let isComplete = () => false;
  const fail = (error: Error) => {
    const cause = req.socket?.errored ?? error;
    // What comes after a complete answer doesn't spoil it.
    if (cause instanceof CutOffError || !isComplete()) reject(cause);
  };
  req.on('error', fail);
  req.on('close', () => fail(new Error(HUNG_UP)));
  req.on('information', guard.countInformational);
  req.on('response', (res) => {
    res.on('error', fail);
    // The parser still reads to the end of the bytes for which the camera was cut off.
    if (res.socket.destroyed) return;
    isComplete = () => res.complete;
    readAnswer(res, reading).then(resolve, fail);
  });
  return { answered, fail: reject, open: guard.open };
}

async function send(
  req: ClientRequest,
  { answered, fail, open }: Exchange,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Capture> {
  const cutOff = (error: Error) => {
    fail(error);
    req.destroy();
  };
  const abort = () => cutOff(new Error('aborted'));
  signal.addEventListener('abort', abort, { once: true });
  open();
  // A camera that spoke or hung up before it was asked gets no request.
  if (!req.destroyed) req.end();
  // One deadline over head and body: a dripping camera must not hold its permit.
  const deadline = setTimeout(cutOff, timeoutMs, new CutOffError('RESPONSE_TIMEOUT'));
  try {
    const answer = await answered;
    if (typeof answer === 'string') return { outcome: answer };
    return 'fault' in answer ? failed(answer) : await judge(answer);
  } catch (error) {
    return signal.aborted ? { outcome: 'aborted' } : failedBy(error, timeoutMs);
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', abort);
    req.destroy();
  }
}

function failedBy(error: unknown, timeoutMs: number): CaptureFailure {
  if (error instanceof CutOffError && error.code === 'RESPONSE_TIMEOUT') {
    const reason = `the camera did not answer within ${timeoutMs} ms`;
    return { outcome: 'failed', status: 504, reason, error: 'http_response_timeout' };
  }
  const { reason: fault, error: kind } = explainCallError(error);
  return failed({ fault, error: kind });
}

async function judge({ bytes, validators }: Body): Promise<Capture> {
  const sniffed = await sniffImage(bytes);
  if ('fault' in sniffed) return failed({ ...sniffed, receivedStatus: 200 });
  const { contentType } = sniffed;
  const dimensions = dimensionsOf(bytes, contentType);
  return { outcome: 'captured', bytes, contentType, dimensions, ...(validators && { validators }) };
}

function failed({ fault, error, receivedStatus, retryAfterMs: wish }: Fault): CaptureFailure {
  return {
    outcome: 'failed',
    status: 502,
    reason: fault,
    error,
    ...(receivedStatus !== undefined && { receivedStatus }),
    ...(wish !== undefined && { retryAfterMs: wish }),
  };
}
