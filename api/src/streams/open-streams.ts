import type { Rules } from '@lastframe/shared/cameras/rules';
import { createFairLimiter } from '@lastframe/shared/http/fair-limiter';
import { runIsolated } from '@lastframe/shared/process/run-isolated';

/** An open stream of any kind. */
export interface OpenStream {
  /** Keeps proxies from closing the stream as idle. */
  sendHeartbeat(): void;
  /** Drops cameras whose signatures have expired. */
  poll(): void;
  /** Drops cameras that the rules no longer allow. */
  applyRules(rules: Rules): void;
  /** Ends the stream, so that the viewer reconnects to another process. */
  end(): void;
}

/** The open streams of this process. */
export interface OpenStreams {
  /**
   * Returns whether all clients together or this client alone has reached a limit; undefined if
   * neither has.
   * @param urls number of cameras to show by URL, which anybody can make up
   */
  limitReached(client: string, urls: number): 'all' | 'client' | undefined;
  /** Adds a stream until the returned function is called. */
  add(stream: OpenStream, client: string, urls: number): () => void;
  count(): number;
  sendHeartbeats(): void;
  poll(): void;
  applyRules(rules: Rules): void;
  /** Ends all streams, and any opened later. */
  close(): void;
}

/** Limit on cameras by URL, per stream that may be open; each costs a few KB. */
const URLS_PER_STREAM = 3;
const LEAST_URLS = 1000;

export function createOpenStreams(max: number): OpenStreams {
  const all = new Set<OpenStream>();
  const streamLimiter = createFairLimiter(max);
  const urlLimiter = createFairLimiter(Math.max(LEAST_URLS, URLS_PER_STREAM * max));
  let closed = false;
  const forAll = (work: (stream: OpenStream) => void) => {
    for (const stream of all) runIsolated(() => work(stream));
  };
  return {
    limitReached: (client, urls) =>
      streamLimiter.limitReached(client) ?? urlLimiter.limitReached(client, urls),
    add: (stream, client, urls) => {
      all.add(stream);
      const releases = [streamLimiter.take(client), urlLimiter.take(client, urls)];
      if (closed) stream.end();
      return () => {
        all.delete(stream);
        for (const release of releases) release();
      };
    },
    count: () => all.size,
    sendHeartbeats: () => forAll((stream) => stream.sendHeartbeat()),
    poll: () => forAll((stream) => stream.poll()),
    applyRules: (rules) => forAll((stream) => stream.applyRules(rules)),
    close: () => {
      closed = true;
      forAll((stream) => stream.end());
    },
  };
}
