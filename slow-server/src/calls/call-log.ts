import { type CallEntry, createCallTable } from './call-table.ts';

interface CallStart {
  /** Absolute, as requested. */
  url: string;
  name: string;
  /** On the server's monotonic clock, in ms. */
  startMs: number;
}

export interface CallLog {
  /** Records a call and returns its number: 1, 2, 3 … */
  begin: (call: CallStart) => number;
  /** Records the status that is being sent. */
  setStatus: (number: number, status: number) => void;
  /** Records the end of a call; `status` is null if nothing was sent. */
  end: (number: number, endMs: number, status: number | null) => void;
  /** Drops all entries; numbering continues. */
  clear: () => void;
  /** Returns how many entries a full log has dropped since the last `forget`. */
  droppedCount: () => number;
  /** Yields the entries after number `since` as pieces of one JSON array. */
  json: (since: number) => Generator<string>;
}

const ENTRIES_PER_PIECE = 1000;

/** Keeps the last `capacity` calls and drops older ones. */
export function createCallLog(capacity = 2_000_000): CallLog {
  const table = createCallTable(capacity);
  let last = 0;
  let forgotten = 0;
  const oldest = () => Math.max(forgotten + 1, last - capacity + 1);
  const isKept = (number: number) => number >= oldest() && number <= last;

  return {
    begin: (call) => {
      last += 1;
      table.begin(last, call);
      return last;
    },
    setStatus: (number, status) => {
      if (isKept(number)) table.setStatus(number, status);
    },
    end: (number, endMs, status) => {
      if (isKept(number)) table.end(number, endMs, status);
    },
    clear: () => {
      forgotten = last;
    },
    droppedCount: () => Math.max(0, last - forgotten - capacity),
    json: (since) => jsonPieces({ from: since + 1, to: last, oldest, entry: table.entry }),
  };
}

interface Span {
  from: number;
  to: number;
  /** Read again at each entry: new calls overwrite the oldest while a client reads slowly. */
  oldest: () => number;
  entry: (number: number) => CallEntry;
}

function* jsonPieces({ from, to, oldest, entry }: Span): Generator<string> {
  let piece = '[';
  let count = 0;
  for (
    let number = Math.max(from, oldest());
    number <= to;
    number = Math.max(number + 1, oldest())
  ) {
    piece += `${count === 0 ? '' : ',\n'}${JSON.stringify(entry(number))}`;
    count += 1;
    if (count % ENTRIES_PER_PIECE === 0) {
      yield piece;
      piece = '';
    }
  }
  yield `${piece}]\n`;
}
