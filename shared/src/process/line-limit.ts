/** Enough to see what is happening, for each kind of line. */
const MAX_LINES = 20;
const WINDOW_MS = 60_000;

/** Returns whether a line may be written. */
export type LineLimit = (
  kind: string,
  /** Writes one line about the omitted ones; called when their minute ends. */
  summarise: (omitted: number) => void,
) => boolean;

/**
 * Allows twenty lines a minute of each kind, and counts the others. Lines that a viewer or a camera
 * can cause at will must not flood the log, or cost the process what it needs to recover.
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
