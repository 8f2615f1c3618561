import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { RequestError } from '@hono/node-server';
import type { Problem } from '@lastframe/shared/process/errors';
import { allowAllOrigins } from '../answer/cors-and-methods.ts';
import { problemResponse } from '../answer/problem.ts';

/** A name or an address with or without a port (RFC 3986 3.2.2); anything else is no host of ours. */
const HOST = /^(?:[\w.~%-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/**
 * Refuses a request whose `Host` is missing, given twice or no host (RFC 9112 3.2): two servers in a
 * row may each believe another one of them. HTTP/1.0 has no need of it.
 */
export function refuseBadHosts(listener: RequestListener): RequestListener {
  return (req, res) => {
    const detail = hostFault(req);
    if (detail === undefined) listener(req, res);
    else refuse(res, { status: 400, code: 'bad-host', detail });
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

/** What the HTTP library itself refuses before there is a request for the routes. */
export function refusedRequest(error: unknown): Response {
  const problem: Problem =
    error instanceof RequestError
      ? { status: 400, code: 'malformed-request', detail: 'the request target is not valid' }
      : { status: 503, code: 'internal', detail: 'internal error; see the server log' };
  const response = problemResponse(problem, 'about:blank');
  allowAllOrigins(response.headers);
  return response;
}

/** Its connection ends: whoever is in front of us may see the requests behind it otherwise. */
function refuse(res: ServerResponse, problem: Problem): void {
  const response = problemResponse(problem, 'about:blank');
  allowAllOrigins(response.headers);
  response.headers.set('Connection', 'close');
  // As the routes do, not before the parser has judged what came right behind the request.
  void response.text().then((body) => {
    response.headers.set('Content-Length', String(Buffer.byteLength(body)));
    res.writeHead(problem.status, Object.fromEntries(response.headers)).end(body);
  });
}
