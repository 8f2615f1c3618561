/** Types for the part of autocannon that is used; it has none of its own. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events';

  export interface Options {
    url: string;
    connections: number;
    /** In seconds. */
    duration: number;
    /** Per request, in seconds. */
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

  /** Emits `response` with the client, the status, the bytes and the duration in ms. */
  export default function autocannon(
    options: Options,
    done: (error: Error | null, result: Result) => void,
  ): EventEmitter & { stop: () => void };
}
