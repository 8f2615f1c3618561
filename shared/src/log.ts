import { hostname } from 'node:os';
import { type Logger, pino } from 'pino';

export type Log = Logger;

/** JSON lines on stdout: one per change of state at `info`, one per request at `debug`. */
export function createLog(part: string, level: string): Log {
  const options = {
    level,
    base: { part, pid: process.pid, host: hostname() },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  // Synchronous: the last lines of a process that ends or is killed are the ones that matter.
  const stdout = pino.destination({ fd: 1, sync: true, maxLength: MAX_UNWRITTEN_BYTES });
  // A full disk or a closed pipe costs lines, not the process; what is held is written once it can be.
  stdout.on('error', () => {});
  return pino(options, stdout);
}

/** While stdout takes nothing; later lines are dropped. */
const MAX_UNWRITTEN_BYTES = 1024 * 1024;

const SPARING_MS = 1000;

/**
 * Warns once a second, and tells the rest at `debug`: what befalls thousands of cameras at once, as
 * when Redis is slow, is told, but doesn't cost what the process needs to get out of it.
 */
export function warnSparingly(
  log: Pick<Log, 'warn' | 'debug'>,
  nowMs: () => number = () => performance.now(),
): (fields: object, message: string) => void {
  let toldMs = Number.NEGATIVE_INFINITY;
  return (fields, message) => {
    const isDue = nowMs() - toldMs >= SPARING_MS;
    if (isDue) toldMs = nowMs();
    log[isDue ? 'warn' : 'debug'](fields, message);
  };
}
