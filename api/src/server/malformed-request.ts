import { type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { openResponses } from '@lastframe/shared/http/open-responses';
import type { Problem } from '@lastframe/shared/process/errors';
import { problemResponse } from '../answer/problem.ts';

const PROBLEMS: Record<string, Problem> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'headers-too-large',
    detail: 'the request headers are too large',
  },
  HPE_INVALID_URL: {
    status: 400,
    code: 'malformed-request',
    detail: 'the request target has a character that is not allowed in a URL; percent-encode it',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'request-too-slow',
    detail: 'the request took too long to arrive',
  },
};
const MALFORMED: Problem = {
  status: 400,
  code: 'malformed-request',
  detail: 'this is not a valid HTTP request',
};

/**
 * Responds with a problem to what Node's parser rejects, and closes the connection, because the
 * start of the next request is unknown.
 */
export function respondToMalformedRequests(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // In the middle of a response, the client would read this one as part of it.
    const canRespond =
      socket.writable && error.code !== 'ECONNRESET' && openResponses(socket) === 0;
    if (!canRespond) socket.destroy();
    else void textOf(PROBLEMS[error.code ?? ''] ?? MALFORMED).then((text) => socket.end(text));
  });
}

async function textOf(problem: Problem): Promise<string> {
  const response = problemResponse(problem, 'about:blank');
  const body = await response.text();
  response.headers.set('Content-Length', String(Buffer.byteLength(body)));
  response.headers.set('Access-Control-Allow-Origin', '*');
  response.headers.set('Date', new Date().toUTCString());
  response.headers.set('Connection', 'close');
  const fields = [...response.headers].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const { status } = problem;
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${fields}\r\n${body}`;
}
