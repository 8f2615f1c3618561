import { type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { openAnswers } from '@lastframe/shared/http/open-answers';
import type { Problem } from '@lastframe/shared/process/errors';
import { problemResponse } from '../answer/problem.ts';

const PROBLEMS: Record<string, Problem> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'headers-too-large',
    detail: 'the head of the request is too large',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'request-too-slow',
    detail: 'the request did not come in time',
  },
};
const NO_HTTP: Problem = {
  status: 400,
  code: 'malformed-request',
  detail: 'this is no valid HTTP request',
};

/**
 * Answers what Node's parser refuses, so that even that is a problem like every other. The
 * connection is over: where the next request would begin is not known.
 */
export function answerMalformedRequests(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // In the middle of an answer another one would be read as a part of it.
    const mayAnswer = socket.writable && error.code !== 'ECONNRESET' && openAnswers(socket) === 0;
    if (!mayAnswer) socket.destroy();
    else void textOf(PROBLEMS[error.code ?? ''] ?? NO_HTTP).then((text) => socket.end(text));
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
