import { stripVTControlCharacters } from 'node:util';
import { type Paint, plain, type Style } from '../paint.ts';

/** One line of a part's log, as far as it is understood. */
export interface LogEntry {
  atMs: number | undefined;
  level: Level;
  message: string;
  fields: [string, unknown][];
}

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

const LEVELS: Record<string, Level> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
const LEVEL_STYLES: Partial<Record<Level, Style>> = {
  trace: 'dim',
  debug: 'dim',
  warn: 'yellow',
  error: 'red',
  fatal: 'red',
};
/** Said by the prefix already, or the same in every line. */
const NOISE = new Set(['level', 'time', 'msg', 'part', 'pid', 'host', 'hostname', 'v']);

/** A JSON line of pino; undefined when the line is something else. */
export function parseLogLine(line: string): LogEntry | undefined {
  const value = parsedObject(line);
  if (typeof value?.msg !== 'string') return undefined;
  const level = String(value.level);
  const atMs = new Date(value.time as string | number).getTime();
  return {
    atMs: Number.isNaN(atMs) ? undefined : atMs,
    level: LEVELS[level] ?? Object.values(LEVELS).find((known) => known === level) ?? 'info',
    message: value.msg,
    fields: Object.entries(value).filter(([name]) => !NOISE.has(name)),
  };
}

/** `12:34:56.789 WARN redis lost redis=queue reason="no answer to PING"`; the stack of an error follows on lines of its own. */
export function formatLogEntry(entry: LogEntry, paint: Paint): string {
  const words = [
    paint('dim', clockTime(entry.atMs)),
    entry.level === 'info'
      ? ''
      : paint(LEVEL_STYLES[entry.level] ?? 'reset', entry.level.toUpperCase()),
    printable(entry.message),
    ...entry.fields.map(([name, value]) => `${paint('dim', `${name}=`)}${fieldText(value)}`),
  ];
  const stacks = entry.fields.flatMap(([, value]) => stackLines(value));
  return [words.filter(Boolean).join(' '), ...stacks.map((line) => paint('dim', line))].join('\n');
}

/** A line as it is read by itself: the message and fields of a JSON line, else its text. */
export function plainLine(line: string): string {
  const entry = parseLogLine(line);
  return entry ? formatLogEntry({ ...entry, atMs: undefined }, plain) : printable(line);
}

/** Texts of strangers reach the log; their control characters must not reach the terminal. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/g, ' ');
}

function parsedObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function clockTime(atMs: number | undefined): string {
  if (atMs === undefined) return '';
  const at = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const ms = String(at.getMilliseconds()).padStart(3, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
}

function fieldText(value: unknown): string {
  const text = hasMessage(value) ? value.message : value;
  if (typeof text === 'string' && /^[^\s"'=\x00-\x1f\x7f-\x9f]+$/.test(text)) return text;
  return printable(JSON.stringify(text) ?? 'undefined');
}

function hasMessage(value: unknown): value is { message: string } {
  return typeof (value as { message?: unknown } | null)?.message === 'string';
}

function stackLines(value: unknown): string[] {
  const stack = (value as { stack?: unknown } | null)?.stack;
  if (typeof stack !== 'string') return [];
  return stack
    .split('\n')
    .slice(1)
    .map((line) => printable(`    ${line.trim()}`));
}
