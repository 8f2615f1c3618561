import type { IncomingMessage, ServerResponse } from 'node:http';
import { type FindHit, hitOrNone } from './find-hit.ts';

type RequestListener = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * Serves hits on connections that were handed over to Node, because the client also requested the
 * page on them or a camera was once cold. Like the connections' own fast path, it serves only plain
 * requests.
 */
export function serveHits(findHit: FindHit, otherwise: RequestListener): RequestListener {
  return (req, res) => {
    const hit = hitOrNone(findHit, textOf(req));
    if (!hit) return otherwise(req, res);
    // Like the routes, wait until the parser has checked what follows the request.
    queueMicrotask(() => {
      try {
        res.writeHead(hit.head.status, hit.head.headers as string[]).end(hit.body);
      } catch {
        // Nothing is sent unless the whole head is valid.
        if (res.headersSent) res.destroy();
        else otherwise(req, res);
      }
    });
  };
}

/** Returns the request as received, if it was written in the usual way. */
function textOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let n = 0; n < rawHeaders.length; n += 2)
    text += `${rawHeaders[n]}: ${rawHeaders[n + 1]}\r\n`;
  return `${text}\r\n`;
}
