import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { type Pauses, watchPauses } from '../../slow-server/src/pauses.ts';
import type { UpstreamCall } from '../../testing/checker.ts';
import { writeLetter } from './letter.ts';
import { type LocalServer, listen } from './origin.ts';

export interface CameraSide extends LocalServer {
  readonly calls: readonly UpstreamCall[];
  /** This process runs the suite's client and its origin too, and may notice a call late. */
  readonly pauses: Pauses;
}

/** Begins the paths of cameras whose interval is longer than any test. */
export const FRESH = '/fresh';

/** Meant for the next hop only (RFC 9110 7.6.1): a letter that carried them would hide a leak. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** Of the text, not of the JPEG it travels in. */
const OF_THE_BODY = new Set([
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'transfer-encoding',
]);

/** The camera that the worker calls: asks the suite's origin and answers with a JPEG. */
export async function startCameraSide(originUrl: string): Promise<CameraSide> {
  const calls: UpstreamCall[] = [];
  const pauses = watchPauses();
  const server = await listen((req, res) => {
    const call = logCall(calls, req, res);
    const headers = { ...req.headers, ...numbered(call) };
    // Each on its own connection: the origin drops some, and with one the next test's.
    const asked = request(originUrl + withoutPrefix(req.url), { agent: false, headers });
    asked.on('response', (answer) => void passOn(answer, res));
    asked.on('error', () => req.socket.destroy());
    asked.end();
  });
  const close = () => {
    pauses.close();
    server.close();
  };
  return { url: server.url, close, calls, pauses };
}

function logCall(calls: UpstreamCall[], req: IncomingMessage, res: ServerResponse): UpstreamCall {
  const url = req.url ?? '';
  const name = testOf(withoutPrefix(url));
  const number = calls.filter((call) => call.name === name).length + 1;
  const call: UpstreamCall = {
    number,
    url,
    name,
    startMs: performance.now(),
    endMs: null,
    status: null,
  };
  calls.push(call);
  res.once('close', () => {
    call.endMs = performance.now();
    call.status = res.statusCode;
  });
  return call;
}

/** The suite's client numbers its requests by a header, which Lastframe rightly keeps to itself. */
function numbered({ number }: UpstreamCall): Record<string, string> {
  return { 'Req-Num': String(number) };
}

function withoutPrefix(url = ''): string {
  return url.startsWith(FRESH) ? url.slice(FRESH.length) : url;
}

/** Of `/test/<uuid>?…`: the uuid. */
export function testOf(url: string): string {
  return url.split(/[/?]/)[2] ?? '';
}

async function passOn(answer: IncomingMessage, res: ServerResponse): Promise<void> {
  const body = await text(answer);
  res.statusCode = answer.statusCode ?? 500;
  for (const [name, values = []] of Object.entries(answer.headersDistinct)) {
    if (!OF_THE_BODY.has(name)) res.setHeader(name, values);
  }
  if (res.statusCode !== 200) return void res.end();
  res.setHeader('Content-Type', 'image/jpeg');
  res.end(writeLetter({ headers: endToEnd(answer), body }));
}

function endToEnd({ headers, headersDistinct }: IncomingMessage): Record<string, string> {
  const listed = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return Object.fromEntries(
    Object.entries(headersDistinct)
      .filter(([name]) => !HOP_BY_HOP.has(name) && !listed.includes(name))
      .map(([name, values = []]) => [name, values.join(', ')]),
  );
}
