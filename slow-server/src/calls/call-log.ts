/** One call to a camera, as `GET /calls` shows it. */
export interface CallEntry {
  number: number;
  /** Absolute, as requested. */
  url: string;
  name: string;
  /** On the server's monotonic clock, in ms. */
  startMs: number;
  endMs: number | null;
  status: number | null;
}

export interface CallLog {
  /** Records a call and returns its number: 1, 2, 3 … */
  begin: (call: Pick<CallEntry, 'url' | 'name' | 'startMs'>) => number;
  /** Records the status that is being sent. */
  setStatus: (number: number, status: number) => void;
  /** Records the end of a call; `status` is null if nothing was sent. */
  end: (number: number, endMs: number, status: number | null) => void;
  /** Drops all entries; numbering continues. */
  clear: () => void;
  /** Returns how many entries a full log has dropped since the last `clear`. */
  droppedCount: () => number;
  /** Yields the entries after number `since` as pieces of one JSON array. */
  json: (since: number) => Generator<string>;
}

const ENTRIES_PER_PIECE = 1000;

/**
 * Keeps the last `capacity` calls and drops older ones. Calls are stored in columns, not objects:
 * two million then cost about 60 MB and no work for the garbage collector, whose pauses would show
 * up in the times.
 */
export function createCallLog(capacity = 2_000_000): CallLog {
  const starts = new Float64Array(capacity);
  const ends = new Float64Array(capacity);
  const statuses = new Uint16Array(capacity);
  const cameras: Camera[] = [];
  const pooledCamera = createCameraPool();
  let last = 0;
  let forgotten = 0;
  const rowOf = (number: number) => (number - 1) % capacity;
  const oldest = () => Math.max(forgotten + 1, last - capacity + 1);
  const isKept = (number: number) => number >= oldest() && number <= last;

  const entry = (number: number): CallEntry => {
    const row = rowOf(number);
    const { url = '', name = '' } = cameras[row] ?? {};
    const [startMs = 0, endMs = Number.NaN, status = 0] = [starts[row], ends[row], statuses[row]];
    return {
      number,
      url,
      name,
      startMs: toMicroseconds(startMs),
      endMs: Number.isNaN(endMs) ? null : toMicroseconds(endMs),
      status: status || null,
    };
  };
  return {
    begin: ({ url, name, startMs }) => {
      last += 1;
      const row = rowOf(last);
      starts[row] = startMs;
      ends[row] = Number.NaN;
      statuses[row] = 0;
      cameras[row] = pooledCamera(url, name);
      return last;
    },
    setStatus: (number, status) => {
      if (isKept(number)) statuses[rowOf(number)] = status;
    },
    end: (number, endMs, status) => {
      if (!isKept(number)) return;
      ends[rowOf(number)] = endMs;
      statuses[rowOf(number)] = status ?? 0;
    },
    clear: () => {
      forgotten = last;
    },
    droppedCount: () => Math.max(0, last - forgotten - capacity),
    json: function* (since) {
      const to = last;
      let piece = '[';
      let count = 0;
      // New calls overwrite the oldest while a client reads slowly.
      const atLeastOldest = (number: number) => Math.max(number, oldest());
      for (let n = atLeastOldest(since + 1); n <= to; n = atLeastOldest(n + 1)) {
        piece += `${count === 0 ? '' : ',\n'}${JSON.stringify(entry(n))}`;
        count += 1;
        if (count % ENTRIES_PER_PIECE !== 0) continue;
        yield piece;
        piece = '';
      }
      yield `${piece}]\n`;
    },
  };
}

interface Camera {
  url: string;
  name: string;
}

/** Calls to one URL share its text. Cleared when full, for tests that never repeat a URL. */
function createCameraPool(limit = 100_000) {
  const byUrl = new Map<string, Camera>();
  return (url: string, name: string): Camera => {
    const found = byUrl.get(url);
    if (found) return found;
    if (byUrl.size >= limit) byUrl.clear();
    const camera = { url, name };
    byUrl.set(url, camera);
    return camera;
  };
}

function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
