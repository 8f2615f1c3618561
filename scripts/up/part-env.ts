import type { Env } from '../env-file.ts';
import { DEMO_SOURCES_FILE } from './demo-cameras.ts';
import type { Settings } from './settings.ts';

/** The demo's camera lives on this machine, which is refused unless it is allowed. */
const DEMO_NETWORKS = '127.0.0.0/8,::1/128';

export function slowServerEnv(env: Env, { slowPort }: Settings): Env {
  // Not on HOST: whoever reaches it may make it misbehave.
  return { ...env, HOST: env.SLOW_HOST?.trim() || '127.0.0.1', PORT: String(slowPort) };
}

export function workerEnv(env: Env, settings: Settings, redis: PrivateRedis | undefined): Env {
  return {
    ...fleetEnv(env, settings, redis),
    OPS_PORT: String(settings.workerOpsPort),
    // Nothing else uses the private Redis, and it keeps every permit on disk.
    ...(redis ? { ADOPT_REDIS: env.ADOPT_REDIS?.trim() || 'true' } : {}),
  };
}

/** @param index of the api process, from 0 */
export function apiEnv(
  env: Env,
  settings: Settings,
  redis: PrivateRedis | undefined,
  index: number,
): Env {
  return {
    ...fleetEnv(env, settings, redis),
    PORT: String(settings.apiPort),
    REUSE_PORT: String(settings.reusePort),
    OPS_PORT: String(settings.apiOpsPorts[index]),
  };
}

interface PrivateRedis {
  url: string;
}

function fleetEnv(env: Env, settings: Settings, redis: PrivateRedis | undefined): Env {
  return {
    ...env,
    ...(redis ? { REDIS_URL: redis.url } : {}),
    ALLOWED_SOURCES: joined(`http://localhost:${settings.slowPort}/*`, env.ALLOWED_SOURCES),
    SOURCES_FILE: env.SOURCES_FILE?.trim() || DEMO_SOURCES_FILE,
    ALLOWED_NETWORKS: joined(DEMO_NETWORKS, env.ALLOWED_NETWORKS),
  };
}

/** The demo's own list with what the user adds: the curl of the README works in any case. */
function joined(own: string, added: string | undefined): string {
  return [own, added?.trim()].filter(Boolean).join(',');
}
