import { randomUUID } from 'node:crypto';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  checkCalls,
  type Pause,
  type UpstreamCall,
  type Verdict,
} from '../../testing/checks/checker.ts';
import { type Child, startChild } from '../../testing/fleet/child.ts';
import { type RedisServer, startRedis } from '../../testing/redis/redis-server.ts';
import { createFrameClient, type FrameClient } from '../load/frame-client.ts';

const REPO = join(import.meta.dirname, '../..');

/** Real api and worker processes and a real Redis, with a camera that costs next to nothing. */
export interface CameraFleet {
  redis: RedisServer;
  framesRedis: RedisServer | undefined;
  redisPrefix: string;
  apis: (Child & { asker: FrameClient })[];
  workers: Child[];
  camera: Child;
  /** The request target of a camera, the same on every api. */
  target(index: number): string;
  calls(): Promise<UpstreamCall[]>;
  pauses(): Promise<Pause[]>;
  /** Checks the guarantee against the camera's own log. */
  check(): Promise<Verdict>;
  stop(): Promise<void>;
}

export interface CameraFleetOptions {
  apis: number;
  workers?: number;
  intervalMs: number;
  delayMs: number;
  sizeBytes?: number;
  /** Keeps frames and announcements in a Redis of their own, without persistence. */
  separateFramesRedis?: boolean;
  env?: Record<string, string>;
  workerEnv?: Record<string, string>;
}

/** In production the queue Redis must persist permits: an append-only file, synced every second. */
const REDIS_ARGS = ['--appendfsync', 'everysec', '--auto-aof-rewrite-percentage', '0'];

const STARTED_AT_ONCE = 4;

export async function startCameraFleet(options: CameraFleetOptions): Promise<CameraFleet> {
  const { apis, workers = 1, intervalMs, delayMs, sizeBytes = 20_000 } = options;
  const redis = await startRedis({ args: REDIS_ARGS });
  const framesRedis = options.separateFramesRedis
    ? await startRedis({ args: ['--appendonly', 'no'] })
    : undefined;
  const camera = await startChild(join(import.meta.dirname, 'quick-camera.ts'), {
    DELAY_MS: String(delayMs),
    SIZE_BYTES: String(sizeBytes),
  });
  raisePriority(camera.pid);
  const cameraUrl = `http://127.0.0.1:${camera.listening.port}`;
  const redisPrefix = `b${randomUUID().slice(0, 8)}`;
  const env = {
    REDIS_URL: redis.url,
    ...(framesRedis && { FRAMES_REDIS_URL: framesRedis.url }),
    REDIS_PREFIX: redisPrefix,
    ALLOWED_SOURCES: `${cameraUrl}/*`,
    ALLOWED_NETWORKS: '127.0.0.0/8',
    INTERVAL: `${intervalMs}ms`,
    OPS_PORT: '0',
    COLD_PER_MINUTE: '0',
    ...options.env,
  };
  const workerEnv = { ...env, CONCURRENCY: '5000', ...options.workerEnv };
  const fleet: CameraFleet = {
    redis,
    framesRedis,
    redisPrefix,
    apis: [],
    workers: [],
    camera,
    target: (index) => `/images?url=${encodeURIComponent(`${cameraUrl}/camera-${index}`)}`,
    calls: async () => (await (await fetch(`${cameraUrl}/calls`)).json()) as UpstreamCall[],
    pauses: async () => (await (await fetch(`${cameraUrl}/pauses`)).json()) as Pause[],
    check: async () => checkCalls(await fleet.calls(), intervalMs, await fleet.pauses()),
    stop: async () => {
      for (const { asker } of fleet.apis) asker.close();
      const children = [...fleet.apis, ...fleet.workers, camera];
      await Promise.all(children.map((child) => !child.hasEnded && child.end('SIGKILL')));
      await Promise.all([redis.stop(), framesRedis?.stop()]);
    },
  };
  try {
    for (let n = 0; n < workers; n += 1) {
      const adopt = n === 0 ? { ADOPT_REDIS: 'true' } : {};
      fleet.workers.push(await startWorker({ ...workerEnv, ...adopt }));
    }
    while (fleet.apis.length < apis) {
      const count = Math.min(STARTED_AT_ONCE, apis - fleet.apis.length);
      fleet.apis.push(...(await Promise.all(Array.from({ length: count }, () => startApi(env)))));
    }
    return fleet;
  } catch (error) {
    await fleet.stop();
    throw error;
  }
}

async function startApi(env: Record<string, string>): Promise<CameraFleet['apis'][number]> {
  const listening = { HOST: '127.0.0.1', PORT: '0', MEMORY_LIMIT: '512MiB', ...env };
  const child = await startChild(join(REPO, 'api/src/main.ts'), listening);
  return Object.assign(child, { asker: createFrameClient(Number(child.listening.port)) });
}

async function startWorker(env: Record<string, string>): Promise<Child> {
  const child = await startChild(join(REPO, 'worker/src/main.ts'), env);
  const ready = `http://127.0.0.1:${child.listening.opsPort}/readyz`;
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await fetch(ready)).ok) return child;
    await sleep(50);
  }
  throw new Error(`${ready} was not 200 within 10 s`);
}

/** A camera that waits for a CPU stamps a call late, which makes the next one look too early. */
function raisePriority(pid: number): void {
  try {
    setPriority(pid, -19);
  } catch {
    // only root may do this
  }
}
