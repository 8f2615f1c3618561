import type { Paint, Style } from '../paint.ts';
import { formatLogEntry, parseLogLine, printable } from './log-line.ts';

/** What `make up` shows on the terminal. */
export interface Printer {
  say(text: string): void;
  ready(name: string, text: string): void;
  fault(text: string): void;
  /** A line that a part printed, under the part's name. */
  partLine(name: string, line: string): void;
  /** Until then a part's log shows from `warn` on only: the lines of progress say the rest. */
  showAllLogs(): void;
}

const NAME_WIDTH = 'slow-server'.length;
const COLOURS: [RegExp, Style][] = [
  [/^api/, 'green'],
  [/^worker/, 'cyan'],
  [/^slow-server/, 'magenta'],
  [/^redis/, 'red'],
];

export function createPrinter(write: (text: string) => void, paint: Paint): Printer {
  let allLogs = false;
  const prefix = (name: string) => {
    const [, colour = 'blue'] = COLOURS.find(([pattern]) => pattern.test(name)) ?? [];
    return paint(colour as Style, name.padEnd(NAME_WIDTH));
  };
  return {
    say: (text) => write(`${text}\n`),
    ready: (name, text) => write(`${paint('green', '✓')} ${prefix(name)}  ${text}\n`),
    fault: (text) => write(`${paint('red', '✗')} ${text}\n`),
    partLine: (name, line) => {
      const entry = parseLogLine(line);
      if (entry && !allLogs && /^(trace|debug|info)$/.test(entry.level)) return;
      const text = entry ? formatLogEntry(entry, paint) : printable(line);
      for (const one of text.split('\n')) write(`${prefix(name)}  ${one}\n`);
    },
    showAllLogs: () => {
      allLogs = true;
    },
  };
}
