import type { Socket } from 'node:net';
import type { Camera } from '@lastframe/shared/cameras/camera';
import type { Source } from '@lastframe/shared/cameras/source';
import type { Dimensions } from '@lastframe/shared/frames/frame';
import type { Validators } from '@lastframe/shared/frames/frame-store';
import { dimensionsOf } from '../image/image-dimensions.ts';
import { type ByteBudget, type ByteShare, budgetGroupOf } from './byte-budget.ts';
import type { CachingHints } from './caching-hints.ts';
import { explainCallError } from './call-error.ts';
import type { Connection } from './connect/connect.ts';
import { CutOffError } from './cut-off-error.ts';
import type { Authorizer } from './login/authorizer.ts';
import { type PendingResponse, receiveResponse } from './receive-response.ts';
import { requestText } from './request-text.ts';
import type { ImageBody, ReadResult } from './response/read-result.ts';
import { untilDataIsRead } from './socket-waits.ts';
import { conditionalHeaders } from './validators.ts';

export type Capture =
  | {
      outcome: 'captured';
      bytes: Buffer;
      contentType: string;
      dimensions?: Dimensions | undefined;
      validators?: Validators | undefined;
      hints: CachingHints;
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
  const { authorization } = login;
  const request = requestText(camera, { authorization, via: extra.via, conditions });
  let share: ByteShare | undefined;
  const response = receiveResponse(socket, {
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
    send: (signal) => send(socket, sendRequest, response, source, signal),
    destroy: () => void socket.destroy(new CutOffError('TOO_LATE')),
    release: () => share?.release(),
  };
}

async function send(
  socket: Socket,
  sendRequest: () => void,
  response: PendingResponse,
  source: Source,
  signal: AbortSignal,
): Promise<Capture> {
  const cutOff = (error: Error) => {
    response.fail(error);
    socket.destroy();
  };
  const abort = () => cutOff(new Error('aborted'));
  signal.addEventListener('abort', abort, { once: true });
  sendRequest();
  const deadline = startDeadline(socket, source.timeoutMs, cutOff);
  try {
    const result = await response.result;
    return result.outcome === 'read' ? captureOf(result) : result;
  } catch (error) {
    if (signal.aborted) return { outcome: 'aborted' };
    return failureFrom(error, source, response.progress());
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', abort);
    response.close();
    socket.destroy();
  }
}

/** Starts one deadline for head and body: a slow camera must not hold its permit. */
function startDeadline(
  socket: Socket,
  timeoutMs: number,
  cutOff: (error: CutOffError) => void,
): NodeJS.Timeout {
  const dueMs = performance.now() + timeoutMs;
  return setTimeout(async () => {
    const isOverdue = performance.now() - dueMs > OVERDUE_MS;
    const isLate = isOverdue && (await hasUnread(socket));
    cutOff(new CutOffError(isLate ? 'TOO_LATE' : 'RESPONSE_TIMEOUT'));
  }, timeoutMs);
}

/**
 * After a pause, timers run before sockets. Reads what has arrived, which may be the whole response,
 * and returns whether there was anything.
 */
async function hasUnread(socket: Socket): Promise<boolean> {
  const before = socket.bytesRead;
  await untilDataIsRead();
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
  { timeoutMs, tls }: Source,
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

function captureOf({ outcome: _, ...image }: ReadImage): Capture {
  const dimensions = dimensionsOf(image.bytes, image.contentType);
  return { outcome: 'captured', ...image, dimensions };
}
