import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import type { Camera } from '@lastframe/shared/camera';
import { messageOf } from '@lastframe/shared/errors';
import type { Authorizer } from './authorization.ts';
import type { ByteBudget } from './byte-budget.ts';
import { sniffImage } from './image-type.ts';
import { retryAfterMs } from './retry-after.ts';

export type Capture =
  | { outcome: 'captured'; bytes: Buffer; contentType: string }
  | CaptureFailure
  /** The camera told how to ask: the next call carries the answer. It says nothing about the camera. */
  | { outcome: 'challenged' }
  /** We hung up, for a reason of our own. */
  | { outcome: 'aborted' };

export interface CaptureFailure {
  outcome: 'failed';
  status: 502 | 504;
  /** For people; it holds no address, header or secret. */
  reason: string;
  /** The camera's own wish. */
  retryAfterMs?: number;
}

/** One request on a connected socket, of which not a byte is sent before `send`. */
export interface PreparedCall {
  /** Sends it before returning; resolves when the answer is there, refused, or late. Never throws. */
  send(signal: AbortSignal): Promise<Capture>;
  destroy(): void;
}

const USER_AGENT = 'Lastframe/0.1 (+https://github.com/lastframe/lastframe)';

/** Hands the socket to a request, so that `send` has nothing left to wait for. */
export async function prepareCall(
  socket: Socket,
  camera: Camera,
  budget: ByteBudget,
  authorizer: Authorizer,
): Promise<PreparedCall> {
  const url = new URL(camera.url);
  const authorization = authorizer.next(camera);
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
    },
  });
  await once(req, 'socket');
  return {
    send: (signal) => {
      const heed = (res: IncomingMessage) => {
        if (res.statusCode === 401) return authorizer.refused(camera, res.headers, authorization);
        authorizer.answered(camera, res.headers);
        return false;
      };
      return send(req, camera, budget, heed, signal);
    },
    destroy: () => {
      req.on('error', () => {});
      req.destroy();
    },
  };
}

async function send(
  req: ClientRequest,
  camera: Camera,
  budget: ByteBudget,
  isChallenge: (res: IncomingMessage) => boolean,
  signal: AbortSignal,
): Promise<Capture> {
  const { timeoutMs, maxFrameBytes } = camera.source;
  const answered = answerOf(req, maxFrameBytes, budget, isChallenge);
  const hangUp = () => req.destroy();
  signal.addEventListener('abort', hangUp, { once: true });
  let late = false;
  req.end();
  // One deadline over head and body: a dripping camera must not hold its permit.
  const deadline = setTimeout(() => {
    late = true;
    hangUp();
  }, timeoutMs);
  try {
    const answer = await answered;
    if ('challenged' in answer) return { outcome: 'challenged' };
    return 'fault' in answer
      ? failed(answer.fault, answer.retryAfterMs)
      : await judge(answer.bytes);
  } catch (error) {
    if (signal.aborted) return { outcome: 'aborted' };
    if (late) {
      const reason = `the camera did not answer within ${timeoutMs} ms`;
      return { outcome: 'failed', status: 504, reason };
    }
    return failed(describeCallError(error));
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', hangUp);
    hangUp();
  }
}

type Answer =
  | { bytes: Buffer }
  | { challenged: true }
  | { fault: string; retryAfterMs?: number | undefined };

function answerOf(
  req: ClientRequest,
  maxBytes: number,
  budget: ByteBudget,
  isChallenge: (res: IncomingMessage) => boolean,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    req.on('error', reject);
    req.on('close', () => reject(new Error('the camera closed the connection')));
    req.on('response', (res) => {
      if (isChallenge(res)) resolve({ challenged: true });
      else readAnswer(res, maxBytes, budget).then(resolve, reject);
    });
  });
}

async function readAnswer(
  res: IncomingMessage,
  maxBytes: number,
  budget: ByteBudget,
): Promise<Answer> {
  const { statusCode = 0, headers } = res;
  if (statusCode !== 200) {
    const asked = statusCode === 429 || statusCode === 503;
    return {
      fault: `the camera answered ${statusCode}`,
      retryAfterMs: asked ? retryAfterMs(headers['retry-after'], headers.date) : undefined,
    };
  }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    return { fault: 'the camera sent a compressed body without being asked to' };
  }
  if (Number(headers['content-length'] ?? 0) > maxBytes) return tooLarge(maxBytes);
  return await readBody(res, maxBytes, budget);
}

/** Counts while it reads: an endless body costs no more than the largest image. */
async function readBody(
  res: IncomingMessage,
  maxBytes: number,
  budget: ByteBudget,
): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of res as AsyncIterable<Buffer>) {
      if (size + chunk.length > maxBytes) return tooLarge(maxBytes);
      if (!budget.take(chunk.length)) return { fault: 'the worker holds too many bytes already' };
      size += chunk.length;
      chunks.push(chunk);
    }
    return { bytes: Buffer.concat(chunks, size) };
  } finally {
    budget.giveBack(size);
  }
}

function tooLarge(maxBytes: number): Answer {
  return { fault: `the camera's image is larger than ${maxBytes} bytes` };
}

async function judge(bytes: Buffer): Promise<Capture> {
  const sniffed = await sniffImage(bytes);
  if ('fault' in sniffed) return failed(sniffed.fault);
  return { outcome: 'captured', bytes, contentType: sniffed.contentType };
}

function failed(reason: string, retryAfter?: number): CaptureFailure {
  const wish = retryAfter === undefined ? {} : { retryAfterMs: retryAfter };
  return { outcome: 'failed', status: 502, reason, ...wish };
}

/** Words for what went wrong on the way to the camera, without its address. */
export function describeCallError(error: unknown): string {
  // A DOMException has a number there.
  const code = String((error as NodeJS.ErrnoException)?.code ?? '');
  const words: Record<string, string> = {
    ECONNREFUSED: 'the camera refused the connection',
    ECONNRESET: 'the camera closed the connection in the middle of its answer',
    EHOSTUNREACH: 'the camera can not be reached',
    ENETUNREACH: 'the camera can not be reached',
    ETIMEDOUT: 'the connection to the camera timed out',
    ENOTFOUND: "the camera's host name is unknown",
    EAI_AGAIN: "the camera's host name can not be resolved now",
  };
  if (words[code]) return words[code];
  if (code.startsWith('HPE_')) return "the camera's answer is no valid HTTP";
  if (/^(ERR_TLS|CERT_|DEPTH_|SELF_|UNABLE_)/.test(code))
    return "the camera's certificate is not trusted";
  return code ? `the call failed (${code})` : `the call failed: ${messageOf(error)}`;
}
