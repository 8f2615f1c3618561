import { hostname } from 'node:os';
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { createLineLimit } from './line-limit.ts';
import { cleanError, cleanFields } from './log-fields.ts';

export type Log = Logger;

/**
 * Writes JSON lines to stdout: one per change of state at `info`, one per request at `debug`.
 * Warnings, errors and lines that name a source are limited per message and source, or named
 * camera. At `debug`, no line is limited.
 */
export function createLog(
  part: string,
  level: string,
  destination: DestinationStream = openStdout(),
): Log {
  const options: LoggerOptions = {
    level,
    base: { part, pid: process.pid, host: hostname() },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields) => cleanFields(fields),
    },
    serializers: { err: cleanError },
  };
  const isUnlimited = level === 'debug' || level === 'trace';
  return pino(isUnlimited ? options : { ...options, hooks: limitingHooks() }, destination);
}

/** Held while stdout is blocked; later lines are dropped. */
const MAX_UNWRITTEN_BYTES = 1024 * 1024;

function openStdout(): DestinationStream {
  // Synchronous: the last lines of a process that ends or is killed matter most.
  const stdout = pino.destination({ fd: 1, sync: true, maxLength: MAX_UNWRITTEN_BYTES });
  // A full disk or a closed pipe costs lines, not the process; held lines are written later.
  stdout.on('error', () => {});
  return stdout;
}

const { INFO, WARN, FATAL } = { INFO: 30, WARN: 40, FATAL: 60 };

function limitingHooks(): NonNullable<LoggerOptions['hooks']> {
  const mayWrite = createLineLimit();
  return {
    logMethod(args, write, level) {
      const [first, second] = args as unknown[];
      const message = typeof first === 'string' ? first : String(second);
      const { source, camera } = (first ?? {}) as { source?: unknown; camera?: unknown };
      const isLimited = level >= WARN || (level === INFO && source !== undefined);
      if (!isLimited || level >= FATAL) return write.apply(this, args);
      const group = {
        ...(source !== undefined && { source }),
        ...(camera !== undefined && { camera }),
      };
      const summarise = (omitted: number) => {
        const summary = `${message}: more lines like this were omitted`;
        write.apply(this, [{ ...group, omitted }, summary] as unknown as typeof args);
      };
      if (mayWrite(`${message} ${JSON.stringify(group)}`, summarise)) write.apply(this, args);
    },
  };
}
