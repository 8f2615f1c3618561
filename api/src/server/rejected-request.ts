import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { RequestError } from '@hono/node-server';
import type { Problem } from '@lastframe/shared/process/errors';
import { allowAllOrigins } from '../answer/cors-and-methods.ts';
import { problemResponse } from '../answer/problem.ts';

/** A name or an address, with or without a port (RFC 3986 3.2.2). */
const HOST = /^(?:[\w.~%-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/**
 * Rejects a request whose `Host` is missing, repeated or invalid (RFC 9112 3.2): two servers in a
 * row could each believe a different one. HTTP/1.0 doesn't require it.
 */
export function rejectBadHosts(listener: RequestListener): RequestListener {
  return (req, res) => {
    const detail = hostFault(req);
    if (detail === undefined) listener(req, res);
    else reject(res, { status: 400, code: 'bad-host', detail });
  };
}

function hostFault({ rawHeaders, httpVersion, headers }: IncomingMessage): string | undefined {
  const isHost = (name: string, index: number) => index % 2 === 0 && name.toLowerCase() === 'host';
  const count = rawHeaders.filter(isHost).length;
  if (count > 1) return 'Host is given more than once; send it once';
  if (count === 0 && httpVersion === '1.0') return undefined;
  const host = headers.host ?? '';
  if (count === 0 || host === '') return 'Host is missing; send the name of this server in it';
  const isValid = HOST.test(host) && URL.canParse(`http://${host}/`);
  return isValid
    ? undefined
    : 'Host is not valid; send a name or an address, with a port if needed';
}

/** Responds to what the HTTP library rejects before the routes get a request. */
export function rejectedRequestResponse(error: unknown): Response {
  const problem: Problem =
    error instanceof RequestError
      ? { status: 400, code: 'malformed-request', detail: 'the request target is not valid' }
      : { status: 503, code: 'internal', detail: 'internal error; see the server log' };
  const response = problemResponse(problem, 'about:blank');
  allowAllOrigins(response.headers);
  return response;
}

/** Closes the connection: a proxy in front may see different requests after this one. */
function reject(res: ServerResponse, problem: Problem): void {
  const response = problemResponse(problem, 'about:blank');
  allowAllOrigins(response.headers);
  response.headers.set('Connection', 'close');
  // Like the routes, wait until the parser has checked what follows the request.
  void response.text().then((body) => {
    response.headers.set('Content-Length', String(Buffer.byteLength(body)));
    res.writeHead(problem.status, Object.fromEntries(response.headers)).end(body);
  });
}
