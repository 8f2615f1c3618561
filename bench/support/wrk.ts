import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LOAD_CORE, onCore } from './cores.ts';

export interface WrkResult {
  perSecond: number;
  requests: number;
  p99Ms: number;
}

export interface WrkOptions {
  url: string;
  connections: number;
  seconds: number;
  headers?: Record<string, string>;
}

const UNITS_MS = { us: 0.001, ms: 1, s: 1000, m: 60_000 } as const;

/**
 * Closed-loop load by wrk on the core of its own.
 * @throws Error when any answer was not 2xx or 3xx, or a connection failed
 */
export async function wrk(options: WrkOptions): Promise<WrkResult> {
  const { url, connections, seconds, headers = {} } = options;
  const [command, ...args] = onCore(LOAD_CORE, 'wrk');
  args.push('--threads', '1', '--connections', String(connections), '--latency');
  args.push('--duration', `${seconds}s`, '--timeout', '10s');
  for (const [name, value] of Object.entries(headers)) args.push('--header', `${name}: ${value}`);
  const { stdout } = await promisify(execFile)(command, [...args, url]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk on ${url}:\n${stdout}`);
  const [, p99 = '', unit = ''] = /99%\s+([\d.]+)(us|ms|s|m)\b/.exec(stdout) ?? [];
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    requests: Number(/(\d+) requests in/.exec(stdout)?.[1]),
    p99Ms: Number(p99) * (UNITS_MS[unit as keyof typeof UNITS_MS] ?? Number.NaN),
  };
}
