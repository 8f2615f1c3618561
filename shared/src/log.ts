import { hostname } from 'node:os';
import { type Logger, pino } from 'pino';

export type Log = Logger;

/** JSON lines on stdout: one per change of state at `info`, one per request at `debug`. */
export function createLog(part: string, level: string): Log {
  return pino({
    level,
    base: { part, pid: process.pid, host: hostname() },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
