/** The little that is used of it; it has no types of its own. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events';

  export interface Options {
    url: string;
    connections: number;
    /** In seconds. */
    duration: number;
    /** Of one request, in seconds. */
    timeout: number;
  }

  export interface Result {
    requests: { average: number };
    /** Failed connections and timeouts. */
    errors: number;
    timeouts: number;
    /** In seconds. */
    duration: number;
  }

  /** Emits `response` with the client, the status, the bytes and the ms that it took. */
  export default function autocannon(
    options: Options,
    done: (error: Error | null, result: Result) => void,
  ): EventEmitter & { stop: () => void };
}
