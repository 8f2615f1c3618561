import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkCalls, type Pause, type UpstreamCall, type Verdict } from '../checks/checker.ts';
import { deviationsFromDocument } from '../checks/openapi-check.ts';
import { type RedisServer, startRedis } from '../redis/redis-server.ts';
import { type Child, startChild } from './child.ts';
import { raisePriority } from './proc.ts';

const REPO = join(import.meta.dirname, '../..');

export interface Api extends Child {
  readonly url: string;
  readonly opsUrl: string;
  /** Requests the last frame of a camera. */
  image(cameraUrl: string, init?: RequestInit): Promise<Response>;
  /** How its responses deviated from its own OpenAPI document. */
  readonly undocumented: Set<string>;
}

export interface Worker extends Child {
  readonly opsUrl: string;
}

export interface SlowServer extends Child {
  readonly url: string;
  camera(name: string, query?: Record<string, string>): string;
  /** @param since returns only calls after the one with this number */
  calls(since?: number): Promise<UpstreamCall[]>;
  /** When its event loop was blocked. */
  pauses(): Promise<Pause[]>;
  /** Changes how a camera responds from now on; without a query it behaves normally again. */
  setBehaviour(name: string, query?: Record<string, string>): Promise<void>;
}

/** Real processes on a real Redis, for end-to-end tests. */
export interface Fleet {
  readonly redis: RedisServer;
  readonly redisPrefix: string;
  readonly slow: SlowServer;
  readonly apis: Api[];
  readonly workers: Worker[];
  startApi(env?: Record<string, string>): Promise<Api>;
  startWorker(env?: Record<string, string>): Promise<Worker>;
  /** Checks the guarantee against the upstream's own log. */
  check(): Promise<Verdict>;
  stop(): Promise<void>;
  /** Ends every test: stops everything, even if the check fails. */
  checkAndStop(): Promise<void>;
}

export interface FleetOptions {
  apis?: number;
  workers?: number;
  intervalMs?: number;
  delayMs?: number;
  /** Additional environment for api and worker. */
  env?: Record<string, string>;
  redis?: RedisServer;
  /** The `REDIS_URL` of the processes, such as a proxy's, instead of the Redis's own. */
  redisUrl?: string;
  /** Simulates the cameras in place of the slow server. */
  cameraScript?: string;
}

export async function startFleet(options: FleetOptions = {}): Promise<Fleet> {
  const { apis = 1, workers = 1, intervalMs = 500, delayMs = 100 } = options;
  const redis = options.redis ?? (await startRedis());
  const slow = await startSlowServer(delayMs, options.cameraScript);
  const redisPrefix = `t${randomUUID().slice(0, 8)}`;
  const env = {
    REDIS_URL: options.redisUrl ?? redis.url,
    REDIS_PREFIX: redisPrefix,
    ALLOWED_SOURCES: `${slow.url}/*`,
    ALLOWED_NETWORKS: '127.0.0.0/8,::1/128',
    INTERVAL: `${intervalMs}ms`,
    // A call that takes milliseconds on an idle machine may take seconds on a busy one.
    UPSTREAM_TIMEOUT: '10s',
    START_ALLOWANCE: '4s',
    OPS_PORT: '0',
    // All viewers of a test are one client.
    COLD_PER_MINUTE: '0',
    ...options.env,
  };
  const fleet: Fleet = {
    redis,
    redisPrefix,
    slow,
    apis: [],
    workers: [],
    startApi: async (more = {}) => {
      const api = await startApi({ ...env, ...more });
      fleet.apis.push(api);
      return api;
    },
    startWorker: async (more = {}) => {
      const worker = await startWorker({ ...env, ...more });
      fleet.workers.push(worker);
      return worker;
    },
    check: async () => {
      const verdict = checkCalls(await slow.calls(), intervalMs, await slow.pauses());
      if (verdict.breaches.length > 0) throw new Error(`breaches:\n${verdict.breaches.join('\n')}`);
      return verdict;
    },
    stop: async () => {
      const children = [...fleet.apis, ...fleet.workers, slow];
      await Promise.all(children.map((child) => !child.hasEnded && child.end('SIGKILL')));
      await redis.stop();
    },
    checkAndStop: async () => {
      try {
        await fleet.check();
      } finally {
        await fleet.stop();
      }
    },
  };
  try {
    // Without adopting the test's own, empty Redis, every test would begin with a hold-off.
    if (workers > 0) await fleet.startWorker({ ADOPT_REDIS: 'true' });
    await Promise.all([
      ...Array.from({ length: workers - 1 }, () => fleet.startWorker()),
      ...Array.from({ length: apis }, () => fleet.startApi()),
    ]);
    return fleet;
  } catch (error) {
    await fleet.stop();
    throw error;
  }
}

async function startApi(env: Record<string, string>): Promise<Api> {
  const child = await startChild(join(REPO, 'api/src/main.ts'), {
    HOST: '127.0.0.1',
    PORT: '0',
    ...env,
  });
  const url = `http://127.0.0.1:${child.listening.port}`;
  const fetchDocument = async () => await (await fetch(`${url}/openapi.json`)).json();
  let document: Promise<unknown> | undefined;
  const undocumented = new Set<string>();
  return Object.assign(child, {
    url,
    undocumented,
    opsUrl: `http://127.0.0.1:${child.listening.opsPort}`,
    image: async (cameraUrl: string, init?: RequestInit) => {
      const path = '/images';
      const answer = await fetch(`${url}${path}?url=${encodeURIComponent(cameraUrl)}`, init);
      const request = { path, method: init?.method ?? 'GET' };
      document ??= fetchDocument();
      for (const problem of deviationsFromDocument(await document, request, answer))
        undocumented.add(problem);
      return answer;
    },
  });
}

async function startWorker(env: Record<string, string>): Promise<Worker> {
  const child = await startChild(join(REPO, 'worker/src/main.ts'), env);
  const opsUrl = `http://127.0.0.1:${child.listening.opsPort}`;
  await waitUntilReady(opsUrl);
  return Object.assign(child, { opsUrl });
}

async function waitUntilReady(opsUrl: string): Promise<void> {
  const startedMs = performance.now();
  for (;;) {
    const answer = await fetch(`${opsUrl}/readyz`);
    const body = await answer.text();
    if (answer.ok) return;
    const tookMs = performance.now() - startedMs;
    if (tookMs > 60_000)
      throw new Error(`${opsUrl}/readyz was not 200 within 60 s; its response: ${body}`);
    await sleep(50);
  }
}

async function startSlowServer(
  delayMs: number,
  script = join(REPO, 'slow-server/src/main.ts'),
): Promise<SlowServer> {
  const env = { HOST: '127.0.0.1', PORT: '0', DELAY: `${delayMs}ms` };
  const child = await startChild(script, env);
  // One that waits for a CPU logs a call late, which makes the next one look too early.
  raisePriority(child.pid);
  const url = `http://127.0.0.1:${child.listening.port}`;
  return Object.assign(child, {
    url,
    camera: (name: string, query: Record<string, string> = {}) =>
      // Small images: the tests are about calls, not drawing.
      `${url}/image/${name}?${new URLSearchParams({ size: '64x36', ...query })}`,
    calls: createCallReader(url),
    pauses: async () => (await (await fetch(`${url}/pauses`)).json()) as Pause[],
    setBehaviour: async (name: string, query?: Record<string, string>) => {
      const path = `${url}/behaviours/${name}`;
      const answer = query
        ? await fetch(`${path}?${new URLSearchParams(query)}`, { method: 'PUT' })
        : await fetch(path, { method: 'DELETE' });
      if (!answer.ok) throw new Error(`the slow server responded with ${answer.status} to ${path}`);
    },
  });
}

/** Reads the calls to a slow server. Keeps those that are over, because tests poll the log. */
function createCallReader(url: string): SlowServer['calls'] {
  const over: UpstreamCall[] = [];
  return async (since = 0) => {
    const known = over.length;
    const answer = await fetch(`${url}/calls?since=${Math.max(known, since)}`);
    const later = (await answer.json()) as UpstreamCall[];
    for (const call of later) {
      if (call.endMs === null) break;
      if (call.number === over.length + 1) over.push(call);
    }
    return [...over.slice(since, known), ...later];
  };
}
