import { onTestFinished } from 'vitest';
import type { CallEntry } from './call-table.ts';
import { startSlowServer } from './server.ts';

export interface TestServer {
  /** Its address, without a slash at the end. */
  origin: string;
  get: (path: string, init?: RequestInit) => Promise<Response>;
  calls: () => Promise<CallEntry[]>;
  close: () => Promise<void>;
}

type RequestInit = NonNullable<Parameters<typeof fetch>[1]>;

/** A slow server on a free port that answers at once, for one test. */
export async function startTestServer({ delayMs = 0 } = {}): Promise<TestServer> {
  const errors: unknown[] = [];
  const log = { error: (...said: unknown[]) => void errors.push(said) };
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
