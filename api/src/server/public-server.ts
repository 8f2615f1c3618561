import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { closeServer } from '@lastframe/shared/http/http-server';
import { boundOpenAnswers } from '@lastframe/shared/http/open-answers';
import { trackedResponse } from '../answer/tracked-response.ts';
import type { UnsentAnswers } from '../answer/unsent-answers.ts';
import { putInFront } from '../fast-path/connection-fast-path.ts';
import type { FindHit } from '../fast-path/find-hit.ts';
import { answerHits } from '../fast-path/request-fast-path.ts';
import { answerMalformedRequests } from './malformed-request.ts';
import { refuseBadHosts, refusedRequest } from './refused-request.ts';

/**
 * Longer than the balancers in front (60 s as a rule): who closes an idle connection first may cut
 * off a request that is just under way on it. Node's 5 s are shorter than many a viewer's pause.
 */
export const KEEP_ALIVE_MS = 65_000;
/** Node itself waits 60 s for a request's head and 300 s for the rest, and looks every 30 s. */
const SERVER_OPTIONS: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: KEEP_ALIVE_MS,
  // The longest target that is served has 14 KiB, and browsers bring cookies along.
  maxHeaderSize: 32 * 1024,
  // A stream of a camera that doesn't change sends nothing by which a viewer that is gone would show.
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
  // It is asked for by `refuseBadHosts`, whose answer is a problem like every other.
  requireHostHeader: false,
};
/** A viewer that takes nothing of an answer between two looks is gone, or holds us up on purpose. */
const STALLED_MS = 10_000;

export interface ClosingTimes {
  /** Until a balancer that asks `/readyz` each second has seen that it should send nothing more. */
  drainMs: number;
  /** For the requests that are open then. */
  graceMs: number;
}

/** The public listener: viewers that send or read too slowly are cut off. */
export interface PublicServer {
  readonly server: Server;
  /**
   * Goes on accepting while it drains, but asks every viewer to come back on a new connection, which
   * the balancer gives to another process; then stops accepting, ends what never ends by itself, and
   * lets open requests end.
   */
  close(times: ClosingTimes, endStreams?: () => void): Promise<void>;
}

export interface PublicServerOptions {
  /** The fast path for frames in memory; without it the routes answer everything. */
  findHit?: FindHit | undefined;
  /** Told of what clients don't take at once. */
  unsent?: Pick<UnsentAnswers, 'add'>;
}

export function createPublicServer(
  fetch: (request: Request) => Response | Promise<Response>,
  { findHit, unsent }: PublicServerOptions = {},
): PublicServer {
  const listener = getRequestListener(fetch, { errorHandler: refusedRequest }) as RequestListener;
  const toRoutes = refuseBadHosts(listener);
  const toAnswer = findHit ? answerHits(findHit, toRoutes) : toRoutes;
  const options = { ...SERVER_OPTIONS, ...(unsent && { ServerResponse: trackedResponse(unsent) }) };
  const server = createServer(options, boundOpenAnswers(toAnswer));
  let draining = false;
  server.timeout = STALLED_MS;
  answerMalformedRequests(server);
  // Before the listener above, which may answer at once.
  server.prependListener('request', (_, res) => {
    if (draining) res.shouldKeepAlive = false;
    // An open answer with nothing to send just waits, for a camera perhaps: that is no stall.
    res.on('timeout', (socket) => {
      if (socket.writableLength > 0) socket.destroy();
    });
  });
  const times = { stalledMs: STALLED_MS, keepAliveMs: KEEP_ALIVE_MS };
  const front = findHit && putInFront(server, { findHit, unsent, ...times });
  return {
    server,
    close: async ({ drainMs, graceMs }, endStreams = () => {}) => {
      draining = true;
      front?.stop();
      await sleep(drainMs);
      front?.close(graceMs);
      const closed = closeServer(server, graceMs);
      endStreams();
      await closed;
    },
  };
}
