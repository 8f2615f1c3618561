import { stopInOrder } from './closing-order.ts';
import { type Part, type PartOptions, startPart } from './part.ts';

export interface SupervisorDeps {
  onStart: (part: Part) => void;
  /** Called when a part ended before closing began. */
  onUnexpectedEnd: (part: Part, how: string) => void;
}

export type Supervisor = ReturnType<typeof createSupervisor>;

/** Starts, watches and stops the processes of the demo. */
export function createSupervisor({ onStart, onUnexpectedEnd }: SupervisorDeps) {
  const parts: Part[] = [];
  const closing = new AbortController();
  return {
    /** Aborted once closing begins. */
    closing: closing.signal,
    /** @throws when closing has begun */
    start: (options: PartOptions) => {
      closing.signal.throwIfAborted();
      const part = startPart(options);
      parts.push(part);
      onStart(part);
      void part.ended.then((how) => {
        if (!closing.signal.aborted) onUnexpectedEnd(part, how);
      });
    },
    /** Ends all parts in order. */
    close: async () => {
      closing.abort();
      await stopInOrder(parts, (part, graceMs) => part.stop(graceMs));
    },
    killNow: () => {
      for (const part of parts) void part.stop(0);
    },
  };
}
