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
  return pino(options, pino.destination({ fd: 1, sync: true }));
}
