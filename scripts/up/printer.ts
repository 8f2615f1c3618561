import { stripVTControlCharacters, styleText } from 'node:util';
import { prettyFactory } from 'pino-pretty';

const NAME_WIDTH = 'slow-server'.length;
const COLOURS = { api: 'green', worker: 'cyan', 'slow-server': 'magenta', redis: 'red' } as const;

/** A log line below `warn`, with pino's name or number of its level. */
const QUIET_LEVEL = /^\{"level":("(trace|debug|info)"|[123]0\b)/;
// The prefix has the part; the others are the same in every line.
const HIDDEN = 'pid,host,part,v';
const FORMAT = { singleLine: true, ignore: HIDDEN };
const withoutTime = prettyFactory({ ...FORMAT, colorize: false, ignore: `${HIDDEN},time` });

export type Printer = ReturnType<typeof createPrinter>;

/** The output of `make up` on the terminal. */
export function createPrinter(write: (text: string) => void, colorize: boolean) {
  const pretty = prettyFactory({ ...FORMAT, colorize, translateTime: 'SYS:HH:MM:ss.l' });
  let allLogs = false;
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colorize ? styleText(style, text, { validateStream: false }) : text;
  const prefix = (name: string) => {
    const kind = name.replace(/-\d+$/, '') as keyof typeof COLOURS;
    return paint(COLOURS[kind], name.padEnd(NAME_WIDTH));
  };
  return {
    print: (text: string) => write(`${text}\n`),
    ready: (name: string, text: string) =>
      write(`${paint('green', '✓')} ${prefix(name)}  ${text}\n`),
    fault: (text: string) => write(`${paint('red', '✗')} ${text}\n`),
    /** Prints a part's line, prefixed with its name. */
    partLine: (name: string, line: string) => {
      if (!allLogs && QUIET_LEVEL.test(line)) return;
      const text = pretty(printable(line)).trimEnd();
      for (const one of text.split('\n')) write(`${prefix(name)}  ${one}\n`);
    },
    /** Shows all log levels from now on; until then only `warn` and up, beside progress lines. */
    showAllLogs: () => {
      allLogs = true;
    },
  };
}

/** Formats a line of a part without time and colours. */
export const plainLine = (line: string) => withoutTime(printable(line)).trim();

/** Texts of strangers are in the logs: none of their control characters, escaped or not, gets through. */
function printable(line: string): string {
  return stripVTControlCharacters(line)
    .replaceAll(/[\x00-\x1f\x7f-\x9f]/g, ' ')
    .replaceAll(/\\\\|\\u00([01][0-9a-f]|7f|[89][0-9a-f])|\\[bfr]/gi, (sequence) =>
      sequence === '\\\\' ? sequence : ' ',
    );
}
