/** Enough to see what goes on, for each kind of line. */
const MAX_LINES = 20;
const WINDOW_MS = 60_000;

/** Says of a line whether it may be written. */
export type LineLimit = (
  kind: string,
  /** Writes one line about those that were left out; called at the end of their minute. */
  summarise: (omitted: number) => void,
) => boolean;

/**
 * Twenty lines a minute of each kind: what a viewer or a camera can cause again and again must not
 * flood the log, nor cost what the process needs to get out of it. The others are counted.
 */
export function createLineLimit(): LineLimit {
  const windows = new Map<string, { lines: number }>();
  return (kind, summarise) => {
    const current = windows.get(kind);
    if (current) {
      current.lines += 1;
      return current.lines <= MAX_LINES;
    }
    const opened = { lines: 1 };
    windows.set(kind, opened);
    const close = () => {
      windows.delete(kind);
      if (opened.lines > MAX_LINES) summarise(opened.lines - MAX_LINES);
    };
    setTimeout(close, WINDOW_MS).unref();
    return true;
  };
}
