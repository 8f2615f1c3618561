import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Dimensions } from '@lastframe/shared/frames/frame';
import type { Validators } from '@lastframe/shared/frames/frame-store';
import packageJson from '../../package.json' with { type: 'json' };
import { dimensionsOf } from '../image/image-dimensions.ts';
import type { Authorizer } from './authorization.ts';
import { type ByteBudget, type ByteShare, budgetGroupOf } from './byte-budget.ts';
import { CutOffError, explainCallError } from './call-error.ts';
import type { Connection } from './connect.ts';
import { closedByCamera } from './open-tcp.ts';
import { createResponseReader, type ReadOptions } from './response/read-response.ts';
import type { ImageBody, ReadResult } from './response/read-result.ts';
import { conditionalHeaders } from './validators.ts';

export type Capture =
  | {
      outcome: 'captured';
      bytes: Buffer;
      contentType: string;
      dimensions?: Dimensions | undefined;
      validators?: Validators;
    }
  | Exclude<ReadResult, ImageBody>
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

/** Writes the request and listens for the response, so that `send` has nothing to wait for. */
export function prepareRequest(
  { socket, guard }: Connection,
  camera: Camera,
  budget: ByteBudget,
  authorizer: Authorizer,
  extra: ExtraHeaders = {},
): PreparedCall {
  const { source } = camera;
  const login = authorizer.loginFor(camera);
  const conditions = conditionalHeaders(extra.validators);
  const own = { authorization: login.authorization, via: extra.via, conditions };
  const request = requestText(camera, own);
  let share: ByteShare | undefined;
  const exchange = listenForResponse(socket, {
    maxBytes: source.maxFrameBytes,
    acceptTruncated: source.acceptTruncated,
    openShare: (evict) => {
      share = budget.open(budgetGroupOf(camera), evict);
      return share;
    },
    guard,
    isConditional: Object.keys(conditions).length > 0,
    login,
  });
  const sendRequest = () => {
    guard.allowData();
    // A camera that already sent data or hung up gets no request.
    if (!socket.destroyed) socket.write(request, 'latin1');
  };
  return {
    send: (signal) => send(socket, sendRequest, exchange, source, signal),
    destroy: () => void socket.destroy(new CutOffError('TOO_LATE')),
    release: () => share?.release(),
  };
}

/** @throws TypeError for a header that HTTP does not allow */
function requestText(
  { url, source }: Camera,
  own: {
    authorization: string | undefined;
    via: string | undefined;
    conditions: Record<string, string>;
  },
): string {
  const { protocol, host, origin, pathname, search } = new URL(url);
  // A proxy passes on http itself; through it, https is a connection to the camera.
  const proxy = protocol === 'http:' ? source.proxy : undefined;
  const headers = {
    Host: host,
    'User-Agent': USER_AGENT,
    Accept: 'image/*, */*;q=0.5',
    'Accept-Encoding': 'identity',
    ...source.headers,
    ...(own.authorization !== undefined && { Authorization: own.authorization }),
    ...(own.via !== undefined && { Via: `1.1 ${own.via}` }),
    ...own.conditions,
    ...(proxy?.authorization !== undefined && { 'Proxy-Authorization': proxy.authorization }),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return `${name}: ${value}\r\n`;
  });
  return `GET ${proxy ? origin : ''}${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

interface Exchange {
  pendingResult: Promise<ReadResult>;
  /** Fails the call, whatever its socket does. */
  fail(error: Error): void;
  /** What a call that is not over by its deadline has received. */
  progress(): ReturnType<typeof createResponseReader>['progress'];
  /** Releases what the reader holds. */
  close(): void;
}

/** Listens until the socket closes, so that a camera can end only its own call. */
function listenForResponse(socket: Socket, reading: ReadOptions): Exchange {
  const { promise: pendingResult, resolve, reject } = Promise.withResolvers<ReadResult>();
  // Nothing awaits it before `send`.
  pendingResult.catch(() => {});
  const reader = createResponseReader(reading, resolve);
  const unlessThrown = (read: () => void) => {
    try {
      read();
    } catch (error) {
      reject(error);
    }
  };
  socket.on('data', (piece) => {
    // The guard may have cut the camera off for these bytes.
    if (!socket.destroyed) unlessThrown(() => reader.read(piece));
  });
  // From then on the reader settles the result, perhaps after decompressing the rest.
  let hasEnded = false;
  const end = (isClean: boolean) => {
    hasEnded = true;
    unlessThrown(() => reader.end(isClean));
  };
  socket.on('end', () => end(true));
  socket.on('error', (error) => {
    if (reader.progress === 'body' && !(error instanceof CutOffError)) end(false);
    else reject(error);
  });
  socket.on('close', () => {
    if (!hasEnded) reject(socket.errored ?? closedByCamera());
  });
  return { pendingResult, fail: reject, progress: () => reader.progress, close: reader.close };
}

async function send(
  socket: Socket,
  sendRequest: () => void,
  exchange: Exchange,
  source: Camera['source'],
  signal: AbortSignal,
): Promise<Capture> {
  const { timeoutMs } = source;
  const cutOff = (error: Error) => {
    exchange.fail(error);
    socket.destroy();
  };
  const abort = () => cutOff(new Error('aborted'));
  signal.addEventListener('abort', abort, { once: true });
  sendRequest();
  // One deadline for head and body: a slow camera must not hold its permit.
  const dueMs = performance.now() + timeoutMs;
  const deadline = setTimeout(async () => {
    const isOverdue = performance.now() - dueMs > OVERDUE_MS;
    cutOff(
      new CutOffError(isOverdue && (await hasUnread(socket)) ? 'TOO_LATE' : 'RESPONSE_TIMEOUT'),
    );
  }, timeoutMs);
  try {
    const result = await exchange.pendingResult;
    return result.outcome === 'read' ? captureOf(result) : result;
  } catch (error) {
    if (signal.aborted) return { outcome: 'aborted' };
    return failureFrom(error, source, exchange.progress());
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', abort);
    exchange.close();
    socket.destroy();
  }
}

/**
 * After a pause, timers run before sockets. Reads what has arrived, which may be the whole response,
 * and returns whether there was anything.
 */
async function hasUnread(socket: Socket): Promise<boolean> {
  const before = socket.bytesRead;
  await setImmediate();
  await setImmediate();
  return socket.bytesRead !== before;
}

/** What a camera had not done by the deadline. */
const UNFINISHED = {
  nothing: 'did not respond',
  head: 'did not finish the head of its response',
  body: 'did not send a whole image',
};

function failureFrom(
  error: unknown,
  { timeoutMs, tls }: Camera['source'],
  progress: keyof typeof UNFINISHED,
): Capture {
  if (error instanceof CutOffError && error.code === 'TOO_LATE') return { outcome: 'late' };
  if (error instanceof CutOffError && error.code === 'RESPONSE_TIMEOUT') {
    const reason = `the camera ${UNFINISHED[progress]} within ${timeoutMs} ms`;
    return { outcome: 'failed', status: 504, reason, error: 'http_response_timeout' };
  }
  return { outcome: 'failed', status: 502, ...explainCallError(error, tls) };
}

type ReadImage = Extract<ReadResult, ImageBody>;

function captureOf({ bytes, contentType, validators }: ReadImage): Capture {
  const dimensions = dimensionsOf(bytes, contentType);
  return { outcome: 'captured', bytes, contentType, dimensions, ...(validators && { validators }) };
}
