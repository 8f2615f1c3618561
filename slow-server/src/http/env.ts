import type { HttpBindings } from '@hono/node-server';

interface Bindings extends HttpBindings {
  /** When the request's head arrived, on the monotonic clock. */
  startMs: number;
}

export interface Env {
  Bindings: Bindings;
  Variables: { number: number; name: string; nameFault?: string };
}
