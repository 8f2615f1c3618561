import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import type { Camera } from '@lastframe/shared/camera';
import { messageOf } from '@lastframe/shared/errors';
import type { Dimensions } from '@lastframe/shared/frame';
import type { Validators } from '@lastframe/shared/frame-store';
import packageJson from '../package.json' with { type: 'json' };
import type { Authorizer } from './authorization.ts';
import type { ByteBudget } from './byte-budget.ts';
import { dimensionsOf } from './image-dimensions.ts';
import { sniffImage } from './image-type.ts';
import { retryAfterMs } from './retry-after.ts';
import { conditionalHeaders, validatorsOf } from './validators.ts';

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
export async function prepareCall(
  socket: Socket,
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
  await once(req, 'socket');
  return {
    send: (signal) => {
      const isChallenge = (res: IncomingMessage) => {
        if (res.statusCode === 401) return authorizer.refused(camera, res.headers, authorization);
        authorizer.answered(camera, res.headers);
        return false;
      };
      const isConditional = Object.keys(conditions).length > 0;
      return send(req, camera, { budget, isConditional, isChallenge }, signal);
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
  reading: Omit<Reading, 'maxBytes'>,
  signal: AbortSignal,
): Promise<Capture> {
  const { timeoutMs, maxFrameBytes: maxBytes } = camera.source;
  const answered = answerOf(req, { ...reading, maxBytes });
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
    if (typeof answer === 'string') return { outcome: answer };
    return 'fault' in answer ? failed(answer) : await judge(answer);
  } catch (error) {
    if (signal.aborted) return { outcome: 'aborted' };
    if (late) {
      const reason = `the camera did not answer within ${timeoutMs} ms`;
      return { outcome: 'failed', status: 504, reason, error: 'http_response_timeout' };
    }
    const { reason: fault, error: kind } = explainCallError(error);
    return failed({ fault, error: kind });
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', hangUp);
    hangUp();
  }
}

type Fault = Pick<CaptureFailure, 'error' | 'receivedStatus'> & {
  fault: string;
  retryAfterMs?: number | undefined;
};
type Body = { bytes: Buffer; validators?: Validators | undefined };
type Answer = Body | 'unchanged' | 'challenged' | 'no room' | Fault;

interface Reading {
  maxBytes: number;
  budget: ByteBudget;
  /** Only then a 304 means something. */
  isConditional: boolean;
  /** The answer only tells how to ask. */
  isChallenge: (res: IncomingMessage) => boolean;
}

function answerOf(req: ClientRequest, reading: Reading): Promise<Answer> {
  return new Promise((resolve, reject) => {
    req.on('error', reject);
    req.on('close', () => reject(new Error('the camera closed the connection')));
    req.on('response', (res) => {
      if (reading.isChallenge(res)) resolve('challenged');
      else readAnswer(res, reading).then(resolve, reject);
    });
  });
}

async function readAnswer(res: IncomingMessage, reading: Reading): Promise<Answer> {
  const { statusCode = 0, headers } = res;
  const { maxBytes, budget, isConditional } = reading;
  if (statusCode === 304 && isConditional) return 'unchanged';
  if (statusCode !== 200) {
    const asked = statusCode === 429 || statusCode === 503;
    return {
      fault: `the camera answered ${statusCode}`,
      error: 'destination_unavailable',
      receivedStatus: statusCode,
      retryAfterMs: asked ? retryAfterMs(headers['retry-after'], headers.date) : undefined,
    };
  }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    const fault = 'the camera sent a compressed body without being asked to';
    return { fault, error: 'http_response_content_coding' };
  }
  if (Number(headers['content-length'] ?? 0) > maxBytes) return tooLarge(maxBytes);
  const body = await readBody(res, maxBytes, budget);
  if (body === 'no room' || 'fault' in body) return body;
  return { ...body, validators: validatorsOf(headers) };
}

/** Counts while it reads: an endless body costs no more than the largest image. */
async function readBody(
  res: IncomingMessage,
  maxBytes: number,
  budget: ByteBudget,
): Promise<Body | 'no room' | Fault> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of res as AsyncIterable<Buffer>) {
      if (size + chunk.length > maxBytes) return tooLarge(maxBytes);
      if (!budget.take(chunk.length)) return 'no room';
      size += chunk.length;
      chunks.push(chunk);
    }
    return { bytes: Buffer.concat(chunks, size) };
  } finally {
    budget.giveBack(size);
  }
}

function tooLarge(maxBytes: number): Fault {
  const fault = `the camera's image is larger than ${maxBytes} bytes`;
  return { fault, error: 'http_response_body_size' };
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

/**
 * Words for what went wrong on the way to the camera, without its address, and the error type of
 * RFC 9209 for it.
 */
export function explainCallError(error: unknown): { reason: string; error: string } {
  // A DOMException has a number there.
  const code = String((error as NodeJS.ErrnoException)?.code ?? '');
  const known = CALL_ERRORS[code];
  if (known) return { reason: known[0], error: known[1] };
  if (code.startsWith('HPE_')) {
    return { reason: "the camera's answer is no valid HTTP", error: 'http_protocol_error' };
  }
  if (/^(ERR_TLS|CERT_|DEPTH_|SELF_|UNABLE_)/.test(code)) {
    return { reason: "the camera's certificate is not trusted", error: 'tls_certificate_error' };
  }
  const reason = code ? `the call failed (${code})` : `the call failed: ${messageOf(error)}`;
  return { reason, error: 'connection_terminated' };
}

const CALL_ERRORS: Record<string, [reason: string, error: string]> = {
  ECONNREFUSED: ['the camera refused the connection', 'connection_refused'],
  ECONNRESET: [
    'the camera closed the connection in the middle of its answer',
    'connection_terminated',
  ],
  EHOSTUNREACH: ['the camera can not be reached', 'destination_ip_unroutable'],
  ENETUNREACH: ['the camera can not be reached', 'destination_ip_unroutable'],
  ETIMEDOUT: ['the connection to the camera timed out', 'connection_timeout'],
  ENOTFOUND: ["the camera's host name is unknown", 'dns_error'],
  EAI_AGAIN: ["the camera's host name can not be resolved now", 'dns_error'],
};
