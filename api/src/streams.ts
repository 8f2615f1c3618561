import { contain } from '@lastframe/shared/contain';
import type { Rules } from '@lastframe/shared/rules';

/** One open stream, whatever it sends. */
export interface OpenStream {
  /** A sign of life, so that nobody on the way takes it for dead. */
  beat(): void;
  /** Lets go of cameras whose signatures have expired. */
  look(): void;
  /** Lets go of cameras that the rules don't allow any more. */
  follow(rules: Rules): void;
  /** Ends it so that the viewer comes back, to another process. */
  end(): void;
}

/** The open streams of this process. */
export interface Streams {
  /** Whether nobody, or only this client, may open one more; undefined when it may. */
  fullFor(client: string): 'all' | 'client' | undefined;
  /** Until the function that it gives is called. */
  add(stream: OpenStream, client: string): () => void;
  count(): number;
  beat(): void;
  look(): void;
  follow(rules: Rules): void;
  /** Ends them all, and whatever is opened from now on. */
  close(): void;
}

export function createStreams(max: number): Streams {
  const all = new Set<OpenStream>();
  const byClient = new Map<string, number>();
  let closed = false;
  return {
    fullFor: (client) => {
      const free = max - all.size;
      if (free <= 0) return 'all';
      // Whoever has more than are left gets none of them: one client can take half of all, the next
      // one half of the rest, and so on.
      return (byClient.get(client) ?? 0) > free ? 'client' : undefined;
    },
    add: (stream, client) => {
      all.add(stream);
      byClient.set(client, (byClient.get(client) ?? 0) + 1);
      if (closed) stream.end();
      return () => {
        if (!all.delete(stream)) return;
        const left = (byClient.get(client) ?? 1) - 1;
        if (left > 0) byClient.set(client, left);
        else byClient.delete(client);
      };
    },
    count: () => all.size,
    beat: () => {
      for (const stream of all) contain(() => stream.beat());
    },
    look: () => {
      for (const stream of all) contain(() => stream.look());
    },
    follow: (rules) => {
      for (const stream of all) contain(() => stream.follow(rules));
    },
    close: () => {
      closed = true;
      for (const stream of all) contain(() => stream.end());
    },
  };
}
