import { DURATION_FORM, parseDurationMs } from './behaviour/units.ts';

interface Config {
  host: string;
  port: number;
  /** How long a call takes by default. */
  delayMs: number;
  logLevel: LogLevel;
}

type LogLevel = (typeof LOG_LEVELS)[number];

export type ConfigOutcome = { ok: true; config: Config } | { ok: false; faults: string[] };

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Returns the config, or every fault in it at once. An empty variable counts as unset. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ConfigOutcome {
  const faults: string[] = [];
  const read = <Value>(
    name: string,
    fallback: Value,
    expected: string,
    parse: (text: string) => Value | undefined,
  ) => {
    const text = env[name];
    if (text === undefined || text === '') return fallback;
    const value = parse(text);
    if (value === undefined) faults.push(`${name} is "${text}", expected ${expected}`);
    return value ?? fallback;
  };
  const config: Config = {
    host: read('HOST', '0.0.0.0', 'an address or host name to listen on', parseHost),
    port: read('PORT', 8888, 'a port from 0 to 65535 (0 picks a free one)', parsePort),
    delayMs: read('DELAY', 5000, DURATION_FORM, parseDurationMs),
    logLevel: read('LOG_LEVEL', 'info', `one of ${LOG_LEVELS.join(', ')}`, parseLogLevel),
  };
  return faults.length === 0 ? { ok: true, config } : { ok: false, faults };
}

function parseHost(text: string): string | undefined {
  return /^[A-Za-z0-9.:_%-]{1,255}$/.test(text) ? text : undefined;
}

function parsePort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65535 ? Number(text) : undefined;
}

function parseLogLevel(text: string): LogLevel | undefined {
  return LOG_LEVELS.find((level) => level === text);
}
