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
  isFull(): boolean;
  /** Until the function that it gives is called. */
  add(stream: OpenStream): () => void;
  count(): number;
  beat(): void;
  look(): void;
  follow(rules: Rules): void;
  /** Ends them all, and whatever is opened from now on. */
  close(): void;
}

export function createStreams(max: number): Streams {
  const all = new Set<OpenStream>();
  let closed = false;
  return {
    isFull: () => all.size >= max,
    add: (stream) => {
      all.add(stream);
      if (closed) stream.end();
      return () => void all.delete(stream);
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
