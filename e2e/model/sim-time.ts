/** Virtual time: it jumps from each event to the next, and stands still while one runs. */
export interface SimTime {
  readonly nowMs: number;
  at(atMs: number, action: () => void): void;
  /** Runs everything due until then, letting promises settle after each event. */
  runUntil(untilMs: number): Promise<void>;
}

export function createSimTime(): SimTime {
  const events: { atMs: number; order: number; action: () => void }[] = [];
  let nowMs = 0;
  let order = 0;
  const popNext = (untilMs: number) => {
    let best = -1;
    for (const [index, event] of events.entries()) {
      const leader = events[best];
      const sooner = !leader || event.atMs < leader.atMs;
      if (sooner || (event.atMs === leader.atMs && event.order < leader.order)) best = index;
    }
    const next = events[best];
    if (!next || next.atMs > untilMs) return undefined;
    events.splice(best, 1);
    return next;
  };
  return {
    get nowMs() {
      return nowMs;
    },
    at: (atMs, action) => {
      order += 1;
      events.push({ atMs: Math.max(nowMs, atMs), order, action });
    },
    runUntil: async (untilMs) => {
      for (let next = popNext(untilMs); next; next = popNext(untilMs)) {
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
