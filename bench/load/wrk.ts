import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LOAD_CORE, onCore } from '../servers/cores.ts';

export interface WrkResult {
  perSecond: number;
  requests: number;
  p99Ms: number;
}

const CONNECTIONS = 100;
const UNITS_MS = { us: 0.001, ms: 1, s: 1000, m: 60_000 } as const;

/**
 * Runs wrk, a closed-loop load generator, on a core of its own.
 * @throws Error when a response was not 2xx or 3xx, a connection failed, or no response came
 */
export async function wrk(
  url: string,
  headers: Record<string, string>,
  seconds: number,
): Promise<WrkResult> {
  const [command, ...args] = onCore(LOAD_CORE, 'wrk');
  args.push('--threads', '1', '--connections', String(CONNECTIONS), '--latency');
  args.push('--duration', `${seconds}s`, '--timeout', '10s');
  for (const [name, value] of Object.entries(headers)) args.push('--header', `${name}: ${value}`);
  const { stdout } = await promisify(execFile)(command, [...args, url]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk on ${url}:\n${stdout}`);
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  if (requests === 0) throw new Error(`wrk on ${url} got no response within ${seconds} s`);
  const [, p99 = '', unit = ''] = /99%\s+([\d.]+)(us|ms|s|m)\b/.exec(stdout) ?? [];
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    requests,
    p99Ms: Number(p99) * (UNITS_MS[unit as keyof typeof UNITS_MS] ?? Number.NaN),
  };
}
