import type { TestProject } from 'vitest/node';
import { startRedis } from './redis-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string;
  }
}

/** One Redis for all `*.redis.test.ts`; each test takes a random prefix. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  // Never restarted: to keep every write on disk would make all files wait for each other's.
  const redis = await startRedis({ args: ['--appendonly', 'no'] });
  provide('redisUrl', redis.url);
  return () => redis.stop();
}
