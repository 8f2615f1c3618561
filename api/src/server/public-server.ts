import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { closeServer, NO_HOST } from '@lastframe/shared/http/http-server';
import { limitOpenResponses } from '@lastframe/shared/http/open-responses';
import { trackedResponse } from '../answer/tracked-response.ts';
import type { UnsentResponses } from '../answer/unsent-responses.ts';
import { installFastPath } from '../fast-path/connection-fast-path.ts';
import type { FindHit } from '../fast-path/find-hit.ts';
import { serveHits } from '../fast-path/request-fast-path.ts';
import { respondToMalformedRequests } from './malformed-request.ts';
import { rejectBadHosts, rejectedRequestResponse } from './rejected-request.ts';

/**
 * Longer than that of load balancers, usually 60 s: the side that closes an idle connection first
 * can cut off a request on its way. Node's 5 s are shorter than many clients' pauses.
 */
export const KEEP_ALIVE_MS = 65_000;
/** Stricter than Node's 60 s for the headers and 300 s for the rest, checked every 30 s. */
const SERVER_OPTIONS: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: KEEP_ALIVE_MS,
  // The longest target served is 14 KiB, and browsers add cookies.
  maxHeaderSize: 32 * 1024,
  // The stream of an unchanging camera sends no data that would reveal a vanished client.
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
  // `rejectBadHosts` requires it, and responds with a problem.
  requireHostHeader: false,
};
/** A client that reads nothing of its response for this long is gone, or stalls on purpose. */
const STALLED_MS = 10_000;
/** Without hits, connections are handed over all the same, so that raw targets are served. */
const NO_HITS: FindHit = () => undefined;

export interface ClosingTimes {
  /** Time for a load balancer that polls `/readyz` every second to stop sending requests. */
  drainMs: number;
  /** Time for the requests that are still open after that. */
  graceMs: number;
}

/** The public server. It disconnects clients that send or read too slowly. */
export interface PublicServer {
  readonly server: Server;
  /**
   * Keeps accepting while it drains, but closes each connection after its response, so that a
   * balancer picks another process. Then stops accepting, ends the streams and waits for open
   * requests.
   */
  close(times: ClosingTimes, endStreams?: () => void): Promise<void>;
}

export interface PublicServerOptions {
  /** The fast path for frames in memory. Without it the routes serve everything. */
  findHit?: FindHit | undefined;
  /** Tracks what clients don't read at once. */
  unsent?: Pick<UnsentResponses, 'add'>;
}

export function createPublicServer(
  fetch: (request: Request) => Response | Promise<Response>,
  { findHit, unsent }: PublicServerOptions = {},
): PublicServer {
  const listener = getRequestListener(fetch, {
    errorHandler: rejectedRequestResponse,
    hostname: NO_HOST,
  }) as RequestListener;
  const routes = rejectBadHosts(listener);
  const handler = findHit ? serveHits(findHit, routes) : routes;
  const options = { ...SERVER_OPTIONS, ...(unsent && { ServerResponse: trackedResponse(unsent) }) };
  const server = createServer(options, limitOpenResponses(handler));
  let draining = false;
  server.timeout = STALLED_MS;
  respondToMalformedRequests(server);
  const times = { stalledMs: STALLED_MS, keepAliveMs: KEEP_ALIVE_MS };
  const fastPath = installFastPath(server, { findHit: findHit ?? NO_HITS, unsent, ...times });
  // Runs before the listener above, which may respond at once.
  server.prependListener('request', ({ socket }, res) => {
    if (draining || fastPath.hadRawTarget(socket)) res.shouldKeepAlive = false;
    // A response with nothing to send is waiting, perhaps for a camera, and not stalled.
    res.on('timeout', () => {
      if (socket.writableLength > 0) socket.destroy();
    });
  });
  return {
    server,
    close: async ({ drainMs, graceMs }, endStreams = () => {}) => {
      draining = true;
      fastPath.stop();
      await sleep(drainMs);
      fastPath.close(graceMs);
      const closed = closeServer(server, graceMs);
      endStreams();
      await closed;
    },
  };
}
