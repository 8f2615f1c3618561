import type { TestProject } from 'vitest/node';
import { startRedis } from './redis-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string;
  }
}

/** Starts one Redis for all `*.redis.test.ts`; each test uses a random prefix. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  // It never restarts, and persisting each write would make test files wait for each other.
  const redis = await startRedis({ args: ['--appendonly', 'no'] });
  provide('redisUrl', redis.url);
  return () => redis.stop();
}
