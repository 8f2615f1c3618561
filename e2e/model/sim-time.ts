/** Virtual time: it jumps from each event to the next, and stands still while one runs. */
export interface SimTime {
  readonly nowMs: number;
  at(atMs: number, action: () => void): void;
  /** Runs everything due until then, letting promises settle after each event. */
  runUntil(untilMs: number): Promise<void>;
}

export function createSimTime(): SimTime {
  /** In the order in which they are due. */
  const events: { atMs: number; action: () => void }[] = [];
  let nowMs = 0;
  return {
    get nowMs() {
      return nowMs;
    },
    at: (atMs, action) => {
      const event = { atMs: Math.max(nowMs, atMs), action };
      const later = events.findIndex((other) => other.atMs > event.atMs);
      events.splice(later < 0 ? events.length : later, 0, event);
    },
    runUntil: async (untilMs) => {
      for (let next = events[0]; next && next.atMs <= untilMs; next = events[0]) {
        events.shift();
        nowMs = next.atMs;
        next.action();
        await settled();
      }
      nowMs = untilMs;
    },
  };
}

/** Waits a whole turn of the event loop: every promise that can settle has settled. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
