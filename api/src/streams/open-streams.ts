import type { Rules } from '@lastframe/shared/cameras/rules';
import { createFairPlaces } from '@lastframe/shared/http/fair-places';
import { contain } from '@lastframe/shared/process/contain';

/** One open stream, whatever it sends. */
export interface OpenStream {
  /** A sign of life, so that nobody on the way takes it for dead. */
  sendHeartbeat(): void;
  /** Lets go of cameras whose signatures have expired. */
  poll(): void;
  /** Lets go of cameras that the rules don't allow any more. */
  applyRules(rules: Rules): void;
  /** Ends it so that the viewer comes back, to another process. */
  end(): void;
}

/** The open streams of this process. */
export interface OpenStreams {
  /**
   * Whether nobody, or only this client, may open one more; undefined when it may.
   * @param urls how many cameras it shows by URL: anybody can make those up
   */
  fullFor(client: string, urls: number): 'all' | 'client' | undefined;
  /** Until the returned function is called. */
  add(stream: OpenStream, client: string, urls: number): () => void;
  count(): number;
  sendHeartbeats(): void;
  poll(): void;
  applyRules(rules: Rules): void;
  /** Ends them all, and whatever is opened from now on. */
  close(): void;
}

/** URLs that streams may show for each stream that may be open; each costs a few KB. */
const URLS_PER_STREAM = 3;
const LEAST_URLS = 1000;

export function createOpenStreams(max: number): OpenStreams {
  const all = new Set<OpenStream>();
  const places = createFairPlaces(max);
  const urlPlaces = createFairPlaces(Math.max(LEAST_URLS, URLS_PER_STREAM * max));
  let closed = false;
  return {
    fullFor: (client, urls) => places.fullFor(client) ?? urlPlaces.fullFor(client, urls),
    add: (stream, client, urls) => {
      all.add(stream);
      const release = [places.take(client), urlPlaces.take(client, urls)];
      if (closed) stream.end();
      return () => {
        all.delete(stream);
        for (const giveBack of release) giveBack();
      };
    },
    count: () => all.size,
    sendHeartbeats: () => {
      for (const stream of all) contain(() => stream.sendHeartbeat());
    },
    poll: () => {
      for (const stream of all) contain(() => stream.poll());
    },
    applyRules: (rules) => {
      for (const stream of all) contain(() => stream.applyRules(rules));
    },
    close: () => {
      closed = true;
      for (const stream of all) contain(() => stream.end());
    },
  };
}
