import type { Clock } from '@lastframe/shared/process/clock';

/** A camera whose refresh is due. */
export interface DueCamera {
  source: string;
  /** It has no frame yet. */
  isNew: boolean;
  dueMonoMs: number;
}

/** The right to add one job. It counts until a worker has taken the job. */
export interface Turn {
  /** @param queuedMs how long the job waited in the queue, if known */
  end(queuedMs?: number): void;
  /** Ends it without a call: the camera's source has its share of the worker for so long. */
  refuse(forMs: number): void;
}

/**
 * Where due cameras wait while the fleet is busy. A job in the queue can be neither put in order
 * nor taken back, so this process adds only as many as workers take within a moment, and each at
 * its turn: refreshes before the first calls of new cameras, one source after the other, of one
 * source the camera that has been due for longest.
 */
export interface JobLine {
  /** Resolves when it is the camera's turn. */
  enter(camera: DueCamera): Promise<Turn>;
  /** Returns how long a new camera would wait now, in ms, by the pace of the last ones. */
  newCameraWaitMs(): number;
  /** Returns for how long the camera at the head of the line has been due, in ms; 0 if none is. */
  behindMs(): number;
  size(kind: 'refresh' | 'first call'): number;
  close(): void;
}

/** A job should wait in the queue no longer: long enough to keep workers busy. */
const TARGET_MS = 250;
const FIRST_WINDOW = 64;
/** So that a fleet of many processes, each with that many, stays short of its target. */
const LEAST_WINDOW = 2;
const MOST_WINDOW = 1000;
const SHRINK = 0.8;
/** A job of which nothing was announced for so long no longer counts. */
const LOST_MS = 5000;
/** One of so many turns is a new camera's, or a fleet that is always behind would never call it. */
const NEW_SHARE = 5;
const PACE_WEIGHT = 0.2;

interface Waiting extends DueCamera {
  begin(turn: Turn): void;
}

export function createJobLine(clock: Pick<Clock, 'monoMs'>): JobLine {
  const refreshes = createFairLine(clock);
  const firstCalls = createFairLine(clock);
  const pace = createPace(clock);
  /** Turns that have not ended, the oldest first. */
  const open = new Map<Turn, { beganMs: number; share: SourceShare }>();
  const window = createWindow(clock);
  let turns = 0;
  let timer: NodeJS.Timeout | undefined;

  const takeNext = () => {
    turns += 1;
    const lines = [refreshes, firstCalls];
    if (turns % NEW_SHARE === 0) lines.reverse();
    return lines[0]?.take() ?? lines[1]?.take();
  };
  const newTurn = (share: SourceShare): Turn => {
    const end = (how: { queuedMs?: number | undefined; refusedForMs?: number }) => {
      if (!open.delete(turn)) return;
      if (how.queuedMs !== undefined) window.adapt(how.queuedMs);
      share.end(how);
      callNext();
    };
    const turn: Turn = {
      end: (queuedMs) => end({ queuedMs }),
      refuse: (refusedForMs) => end({ refusedForMs }),
    };
    open.set(turn, { beganMs: clock.monoMs(), share });
    return turn;
  };
  /** Returns the time until the next one is lost, in ms. */
  const forgetLost = () => {
    for (const [turn, { beganMs, share }] of open) {
      const leftMs = beganMs + LOST_MS - clock.monoMs();
      if (leftMs > 0) return leftMs;
      open.delete(turn);
      share.end({});
    }
    return LOST_MS;
  };
  const callNext = () => {
    clearTimeout(timer);
    const lostInMs = forgetLost();
    while (open.size < window.size()) {
      const next = takeNext();
      if (!next) break;
      if (next.isNew) pace.step(firstCalls.size() > 0);
      next.begin(newTurn(next.share));
    }
    if (open.size >= window.size()) window.noteFull();
    if (refreshes.size() + firstCalls.size() === 0) return;
    const heldMs = Math.min(refreshes.heldMs(), firstCalls.heldMs());
    timer = setTimeout(callNext, Math.min(lostInMs, heldMs));
  };

  return {
    enter: (camera) =>
      new Promise((begin) => {
        if (camera.isNew && firstCalls.size() === 0) pace.start();
        (camera.isNew ? firstCalls : refreshes).add({ ...camera, begin });
        callNext();
      }),
    newCameraWaitMs: () => firstCalls.size() * pace.msPerStep(),
    behindMs: () => Math.max(0, clock.monoMs() - refreshes.longestDueMonoMs()),
    size: (kind) => (kind === 'refresh' ? refreshes : firstCalls).size(),
    close: () => clearTimeout(timer),
  };
}

/**
 * Decides how many jobs of this process may be on their way: as many as keep the time in the queue
 * near its target. Each process does so on its own, like the senders on a shared network.
 */
function createWindow(clock: Pick<Clock, 'monoMs'>) {
  let size = FIRST_WINDOW;
  let wasFull = false;
  let shrunkMonoMs: number | undefined;
  return {
    size: () => Math.floor(size),
    noteFull: () => {
      wasFull = true;
    },
    adapt: (queuedMs: number) => {
      if (queuedMs > TARGET_MS) {
        // Jobs added before the last change say nothing about it.
        if (shrunkMonoMs !== undefined && clock.monoMs() - shrunkMonoMs < queuedMs) return;
        shrunkMonoMs = clock.monoMs();
        size = Math.max(LEAST_WINDOW, size * SHRINK);
      } else if (wasFull) {
        // Doubles within a round trip until it has been too large once, then grows by one.
        size = Math.min(MOST_WINDOW, size + (shrunkMonoMs === undefined ? 1 : 1 / size));
        wasFull = false;
      }
    },
  };
}

/** Measures the time between steps while there is something to do. */
function createPace(clock: Pick<Clock, 'monoMs'>) {
  let lastMonoMs = clock.monoMs();
  let msPerStep = 0;
  return {
    start: () => {
      lastMonoMs = clock.monoMs();
    },
    step: (isBusy: boolean) => {
      const tookMs = clock.monoMs() - lastMonoMs;
      msPerStep = isBusy ? msPerStep + PACE_WEIGHT * (tookMs - msPerStep) : 0;
      lastMonoMs = clock.monoMs();
    },
    msPerStep: () => msPerStep,
  };
}

/**
 * Sources take turns; of one source, the camera that has been due for longest goes first. A source
 * that has its share of the workers pauses, then goes on with half as many turns at once.
 */
function createFairLine(clock: Pick<Clock, 'monoMs'>) {
  const bySource = new Map<string, SourceShare>();
  let size = 0;
  const shares = () => [...bySource.values()];
  return {
    size: () => size,
    longestDueMonoMs: () =>
      Math.min(...shares().map(({ waiting: [first] }) => first?.dueMonoMs ?? Infinity)),
    /** Returns the time until a source may go on, in ms. */
    heldMs: () =>
      Math.min(...shares().map((share) => (share.waiting.length > 0 ? share.heldMs() : Infinity))),
    add: (camera: Waiting) => {
      const share = bySource.get(camera.source) ?? createSourceShare(clock);
      bySource.set(camera.source, share);
      // Most have just become due, and belong at the end.
      const { waiting } = share;
      const at = 1 + waiting.findLastIndex(({ dueMonoMs }) => dueMonoMs <= camera.dueMonoMs);
      waiting.splice(at, 0, camera);
      size += 1;
    },
    take: (): (Waiting & { share: SourceShare }) | undefined => {
      for (const [source, share] of bySource) {
        const camera = share.take();
        if (!camera) {
          if (share.isIdle()) bySource.delete(source);
          continue;
        }
        bySource.delete(source);
        bySource.set(source, share);
        size -= 1;
        return { ...camera, share };
      }
      return undefined;
    },
  };
}

type SourceShare = ReturnType<typeof createSourceShare>;

/** The cameras of one source that wait, and how many turns it may have at once. */
function createSourceShare(clock: Pick<Clock, 'monoMs'>) {
  const waiting: Waiting[] = [];
  let open = 0;
  let limit = Infinity;
  let heldUntilMonoMs = Number.NEGATIVE_INFINITY;
  const heldMs = () => heldUntilMonoMs - clock.monoMs();
  return {
    waiting,
    /** Infinity if no pause holds it. */
    heldMs: () => (heldMs() > 0 ? heldMs() : Infinity),
    isIdle: () => open === 0 && waiting.length === 0 && limit === Infinity,
    take: () => {
      if (waiting.length === 0 || open >= limit || heldMs() > 0) return undefined;
      open += 1;
      return waiting.shift();
    },
    end: ({ queuedMs, refusedForMs }: { queuedMs?: number | undefined; refusedForMs?: number }) => {
      // Of several refused at once, the first has changed it.
      if (refusedForMs !== undefined && heldMs() <= 0) {
        limit = Math.max(1, Math.floor(open / 2));
        heldUntilMonoMs = clock.monoMs() + refusedForMs;
      }
      open -= 1;
      if (queuedMs === undefined) return;
      limit += 1;
      if (limit > MOST_WINDOW) limit = Infinity;
    },
  };
}
