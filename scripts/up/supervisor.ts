import { stopInOrder } from './closing-order.ts';
import { type Kind, type Part, type PartOptions, startPart } from './part.ts';

export interface Supervisor {
  /** Aborted once closing begins. */
  readonly closing: AbortSignal;
  /** @throws when closing has begun */
  start(options: PartOptions): Part;
  /** Ends all parts in order. */
  close(): Promise<void>;
  killNow(): void;
}

export interface SupervisorDeps {
  recordPart: (kind: Kind, pid: number) => void;
  /** Called when a part ended before closing began. */
  onUnexpectedEnd: (part: Part, how: string) => void;
}

/** Starts, watches and stops the processes of the demo. */
export function createSupervisor({ recordPart, onUnexpectedEnd }: SupervisorDeps): Supervisor {
  const parts: Part[] = [];
  const closing = new AbortController();
  let closed: Promise<void> | undefined;

  const start = (options: PartOptions) => {
    closing.signal.throwIfAborted();
    const part = startPart(options);
    parts.push(part);
    if (part.pid !== undefined) recordPart(part.kind, part.pid);
    void part.ended.then((how) => {
      if (!closing.signal.aborted) onUnexpectedEnd(part, how);
    });
    return part;
  };
  const close = () => {
    closing.abort();
    closed ??= stopInOrder(parts, (part, graceMs) => part.stop(graceMs));
    return closed;
  };
  const killNow = () => {
    for (const part of parts) part.killNow();
  };
  return { closing: closing.signal, start, close, killNow };
}
