/** One call to a camera, as `GET /calls` shows it. */
export interface CallEntry {
  number: number;
  url: string;
  name: string;
  /** On the server's monotonic clock, in ms. */
  startMs: number;
  endMs: number | null;
  status: number | null;
}

export interface CallTable {
  begin: (number: number, call: { url: string; name: string; startMs: number }) => void;
  setStatus: (number: number, status: number) => void;
  end: (number: number, endMs: number, status: number | null) => void;
  entry: (number: number) => CallEntry;
}

/**
 * Stores calls in columns, not objects: two million calls then cost about 60 MB and no work for the
 * garbage collector, whose pauses would show up in the times.
 */
export function createCallTable(capacity: number): CallTable {
  const starts = new Float64Array(capacity);
  const ends = new Float64Array(capacity);
  const statuses = new Uint16Array(capacity);
  const cameras: Camera[] = [];
  const pooledCamera = createCameraPool();
  const rowOf = (number: number) => (number - 1) % capacity;

  return {
    begin: (number, { url, name, startMs }) => {
      const row = rowOf(number);
      starts[row] = startMs;
      ends[row] = Number.NaN;
      statuses[row] = 0;
      cameras[row] = pooledCamera(url, name);
    },
    setStatus: (number, status) => {
      statuses[rowOf(number)] = status;
    },
    end: (number, endMs, status) => {
      ends[rowOf(number)] = endMs;
      statuses[rowOf(number)] = status ?? 0;
    },
    entry: (number) => {
      const row = rowOf(number);
      const camera = cameras[row] ?? { url: '', name: '' };
      return toEntry(number, camera, [starts[row], ends[row], statuses[row]]);
    },
  };
}

type Numbers = [startMs: number | undefined, endMs: number | undefined, status: number | undefined];

function toEntry(number: number, { url, name }: Camera, numbers: Numbers): CallEntry {
  const [startMs = 0, endMs = Number.NaN, status = 0] = numbers;
  return {
    number,
    url,
    name,
    startMs: toMicroseconds(startMs),
    endMs: Number.isNaN(endMs) ? null : toMicroseconds(endMs),
    status: status || null,
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
