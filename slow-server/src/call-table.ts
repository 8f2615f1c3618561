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
 * Call `number` stands in row `number % capacity`. Columns, not objects: two million calls then cost
 * some 60 MB and nothing to the garbage collector, whose pauses would show up in the times.
 */
export function createCallTable(capacity: number): CallTable {
  const starts = new Float64Array(capacity);
  const ends = new Float64Array(capacity);
  const statuses = new Uint16Array(capacity);
  const cameras: Camera[] = [];
  const pooled = createCameraPool();
  const rowOf = (number: number) => (number - 1) % capacity;

  return {
    begin: (number, { url, name, startMs }) => {
      const row = rowOf(number);
      starts[row] = startMs;
      ends[row] = Number.NaN;
      statuses[row] = 0;
      cameras[row] = pooled(url, name);
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

/** Calls to one URL share its text. Emptied when full, for tests whose URLs never come again. */
function createCameraPool(limit = 100_000) {
  const known = new Map<string, Camera>();
  return (url: string, name: string): Camera => {
    const found = known.get(url);
    if (found) return found;
    if (known.size >= limit) known.clear();
    const camera = { url, name };
    known.set(url, camera);
    return camera;
  };
}

function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
