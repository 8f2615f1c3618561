import { onTestFinished } from 'vitest';
import type { CallEntry } from '../calls/call-log.ts';
import { startSlowServer } from './server.ts';

export interface TestServer {
  /** Its URL, without a trailing slash. */
  origin: string;
  get: (path: string, init?: RequestInit) => Promise<Response>;
  calls: () => Promise<CallEntry[]>;
  close: () => Promise<void>;
}

type RequestInit = NonNullable<Parameters<typeof fetch>[1]>;

/** Starts a slow server for one test on a free port, by default without a delay. */
export async function startTestServer({ delayMs = 0 } = {}): Promise<TestServer> {
  const errors: unknown[] = [];
  const log = { error: (...args: unknown[]) => void errors.push(args) };
  const server = await startSlowServer({ host: '127.0.0.1', port: 0, delayMs, log });
  const origin = `http://127.0.0.1:${server.port}`;
  const get: TestServer['get'] = (path, init) =>
    fetch(`${origin}${path}`, { redirect: 'manual', ...init });
  onTestFinished(async () => {
    await server.close();
    if (errors.length > 0) throw new Error('The server logged errors.', { cause: errors });
  });
  const calls = async () => (await (await get('/calls')).json()) as CallEntry[];
  return { origin, get, calls, close: server.close };
}
