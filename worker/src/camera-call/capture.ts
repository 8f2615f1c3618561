import { once } from 'node:events';
import { type ClientRequest, request } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Dimensions } from '@lastframe/shared/frames/frame';
import type { Validators } from '@lastframe/shared/frames/frame-store';
import packageJson from '../../package.json' with { type: 'json' };
import { dimensionsOf } from '../image/image-dimensions.ts';
import { sniffImage } from '../image/image-type.ts';
import type { Authorizer } from './authorization.ts';
import { type ByteBudget, type ByteShare, budgetGroupOf } from './byte-budget.ts';
import { CutOffError, explainCallError } from './call-error.ts';
import { CONNECTION_CLOSED, type Connection } from './connect.ts';
import {
  type Body,
  badResponse,
  type ReadOptions,
  type ReadResult,
  readResponse,
} from './read-response.ts';
import type { ResponseGuard } from './response-guard.ts';
import { conditionalHeaders } from './validators.ts';

export type Capture =
  | {
      outcome: 'captured';
      bytes: Buffer;
      contentType: string;
      dimensions?: Dimensions | undefined;
      validators?: Validators;
    }
  | Exclude<ReadResult, Body>
  /** This process aborted the call. */
  | { outcome: 'aborted' }
  /** The response was there in time, but this process was too busy to read it. */
  | { outcome: 'late' };

/** One request on a connected socket. No byte leaves before `send`. */
export interface PreparedCall {
  /** Sends the request before returning, and resolves with the outcome. Never throws. */
  send(signal: AbortSignal): Promise<Capture>;
  /** Abandons the call: this process is late itself, or is closing. */
  destroy(): void;
  /** Releases the captured bytes from the byte budget, once they are stored or dropped. */
  release(): void;
}

/** Headers of a call besides those of its source. */
export interface ExtraHeaders {
  /** The fleet's name in `Via`, which exposes request loops. */
  via?: string | undefined;
  /** Of the last frame, so that the camera need not send it again. */
  validators?: Validators | undefined;
}

/** A timer that runs this late was held up by this process, not by the system's clock. */
const OVERDUE_MS = 50;
const USER_AGENT = `Lastframe/${packageJson.version} (+https://github.com/lastframe/lastframe)`;

/** Creates the request and assigns the socket, so that `send` has nothing to wait for. */
export async function prepareRequest(
  { socket, guard }: Connection,
  camera: Camera,
  budget: ByteBudget,
  authorizer: Authorizer,
  extra: ExtraHeaders = {},
): Promise<PreparedCall> {
  const url = new URL(camera.url);
  const authorization = authorizer.authorizationFor(camera);
  const conditions = conditionalHeaders(extra.validators);
  const req = request({
    // No agent: one request per connection, and no hidden retries on a kept-alive one.
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
      ...(extra.via !== undefined && { Via: `1.1 ${extra.via}` }),
      ...conditions,
    },
  });
  let share: ByteShare | undefined;
  const exchange = listenForResponse(req, guard, {
    maxBytes: camera.source.maxFrameBytes,
    openShare: (evict) => {
      share = budget.open(budgetGroupOf(camera), evict);
      return share;
    },
    guard,
    isConditional: Object.keys(conditions).length > 0,
    isChallenge: (res) => {
      if (res.statusCode === 401)
        return authorizer.onUnauthorized(camera, res.headers, authorization);
      authorizer.onResponse(camera, res.headers);
      return false;
    },
  });
  await once(req, 'socket');
  return {
    send: (signal) => send(req, exchange, camera.source.timeoutMs, signal),
    destroy: () => void req.destroy(new CutOffError('TOO_LATE')),
    release: () => share?.release(),
  };
}

interface Exchange {
  pendingResult: Promise<ReadResult>;
  /** Fails the call, whatever its streams do. */
  fail(error: Error): void;
  /** Lets the camera send from now on. */
  open(): void;
}

/**
 * Listens from the request's creation to its close, so that a camera can end only its own call. An
 * error event without a listener would end the process.
 */
function listenForResponse(
  req: ClientRequest,
  guard: ResponseGuard,
  reading: ReadOptions,
): Exchange {
  const { promise: pendingResult, resolve, reject } = Promise.withResolvers<ReadResult>();
  // Nothing awaits it before `send`.
  pendingResult.catch(() => {});
  let isComplete = () => false;
  const fail = (error: Error) => {
    const cause = req.socket?.errored ?? error;
    // An error after a complete response does not matter.
    if (cause instanceof CutOffError || !isComplete()) reject(cause);
  };
  req.on('error', fail);
  req.on('close', () => fail(new Error(CONNECTION_CLOSED)));
  req.on('information', guard.countInformational);
  req.on('response', (res) => {
    res.on('error', fail);
    // The parser still consumes the bytes for which the camera was cut off.
    if (res.socket.destroyed) return;
    isComplete = () => res.complete;
    readResponse(res, reading).then(resolve, fail);
  });
  return { pendingResult, fail: reject, open: guard.allowData };
}

async function send(
  req: ClientRequest,
  { pendingResult, fail, open }: Exchange,
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
  // A camera that already sent data or hung up gets no request.
  if (!req.destroyed) req.end();
  // One deadline for head and body: a slow camera must not hold its permit.
  const dueMs = performance.now() + timeoutMs;
  const deadline = setTimeout(async () => {
    const isOverdue = performance.now() - dueMs > OVERDUE_MS;
    cutOff(new CutOffError(isOverdue && (await hasUnread(req)) ? 'TOO_LATE' : 'RESPONSE_TIMEOUT'));
  }, timeoutMs);
  try {
    const result = await pendingResult;
    return result.outcome === 'read' ? await captureOf(result) : result;
  } catch (error) {
    return signal.aborted ? { outcome: 'aborted' } : failureFrom(error, timeoutMs);
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', abort);
    req.destroy();
  }
}

/**
 * After a pause, timers run before sockets. Reads what has arrived, which may be the whole response,
 * and returns whether there was anything.
 */
async function hasUnread({ socket }: ClientRequest): Promise<boolean> {
  const before = socket?.bytesRead;
  await setImmediate();
  await setImmediate();
  return socket?.bytesRead !== before;
}

function failureFrom(error: unknown, timeoutMs: number): Capture {
  if (error instanceof CutOffError && error.code === 'TOO_LATE') return { outcome: 'late' };
  if (error instanceof CutOffError && error.code === 'RESPONSE_TIMEOUT') {
    const reason = `the camera did not respond within ${timeoutMs} ms`;
    return { outcome: 'failed', status: 504, reason, error: 'http_response_timeout' };
  }
  return { outcome: 'failed', status: 502, ...explainCallError(error) };
}

async function captureOf({ bytes, validators }: Body): Promise<Capture> {
  const sniffed = await sniffImage(bytes);
  if ('fault' in sniffed) return badResponse(sniffed.fault, sniffed.error, { receivedStatus: 200 });
  const { contentType } = sniffed;
  const dimensions = dimensionsOf(bytes, contentType);
  return { outcome: 'captured', bytes, contentType, dimensions, ...(validators && { validators }) };
}
