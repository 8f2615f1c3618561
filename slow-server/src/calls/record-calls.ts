import type { IncomingMessage } from 'node:http';
import type { MiddlewareHandler } from 'hono';
import { cameraNameIn } from '../behaviour/camera-name.ts';
import type { Env } from '../http/env.ts';
import type { CallLog } from './call-log.ts';

/**
 * Records every request to a camera, whatever its method and outcome. A call ends when its last
 * byte is handed to the system or its connection closes, whichever is first.
 */
export function recordCalls(calls: CallLog): MiddlewareHandler<Env> {
  return async (c, next) => {
    const { incoming, outgoing, startMs } = c.env;
    const named = cameraNameIn(new URL(c.req.url).pathname, '/image', 'image');
    const number = calls.begin({ url: urlAsCalled(incoming), name: named.name, startMs });
    let isOpen = true;
    const end = () => {
      if (isOpen)
        calls.end(number, performance.now(), outgoing.headersSent ? outgoing.statusCode : null);
      isOpen = false;
    };
    outgoing.once('finish', end).once('close', end);
    c.set('number', number);
    c.set('name', named.name);
    if (!named.ok) c.set('nameFault', named.fault);
    await next();
  };
}

/** Returns the raw URL, because tests compare it with what they sent. */
function urlAsCalled({ url = '/', headers }: IncomingMessage): string {
  return url.startsWith('/') ? `http://${headers.host ?? 'localhost'}${url}` : url;
}
