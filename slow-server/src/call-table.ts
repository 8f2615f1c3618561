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
  const startMs = new Float64Array(capacity);
  const endMs = new Float64Array(capacity);
  const status = new Uint16Array(capacity);
  const cameras: Camera[] = [];
  const pooled = createCameraPool();

  return {
    begin: (number, call) => {
      const row = (number - 1) % capacity;
      startMs[row] = call.startMs;
      endMs[row] = Number.NaN;
      status[row] = 0;
      cameras[row] = pooled(call.url, call.name);
    },
    setStatus: (number, code) => {
      status[(number - 1) % capacity] = code;
    },
    end: (number, atMs, code) => {
      endMs[(number - 1) % capacity] = atMs;
      status[(number - 1) % capacity] = code ?? 0;
    },
    entry: (number) => {
      const row = (number - 1) % capacity;
      const { url, name } = cameras[row] ?? { url: '', name: '' };
      const [start = 0, end = Number.NaN] = [startMs[row], endMs[row]];
      const endedMs = Number.isNaN(end) ? null : toMicroseconds(end);
      return {
        number,
        url,
        name,
        startMs: toMicroseconds(start),
        endMs: endedMs,
        status: status[row] || null,
      };
    },
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
