import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FindHit } from './find-hit.ts';

type RequestListener = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * Hits on the connections that the front has given away: a page that shows images was asked for on
 * the same connection, or a camera was cold once. Nothing but a plain request is answered here either.
 */
export function answerHits(findHit: FindHit, otherwise: RequestListener): RequestListener {
  // What goes wrong here is for the routes, which have an error boundary.
  const hitOf = (req: IncomingMessage) => {
    try {
      return findHit(textOf(req));
    } catch {
      return undefined;
    }
  };
  return (req, res) => {
    const hit = hitOf(req);
    if (!hit) return otherwise(req, res);
    // Like the routes, not before the parser has judged what came right behind the request.
    queueMicrotask(() => {
      try {
        res.writeHead(hit.head.status, hit.head.headers as string[]).end(hit.body);
      } catch {
        // Nothing is sent before all of the head is valid.
        if (res.headersSent) res.destroy();
        else otherwise(req, res);
      }
    });
  };
}

/** The request as it came, if it was written as everybody writes it. */
function textOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let n = 0; n < rawHeaders.length; n += 2)
    text += `${rawHeaders[n]}: ${rawHeaders[n + 1]}\r\n`;
  return `${text}\r\n`;
}
