import type { Env } from '../env-file.ts';
import { DEMO_SOURCES_FILE } from './demo-cameras.ts';
import type { Settings } from './settings.ts';

/** The demo's camera is on this machine, and local networks are rejected unless allowed. */
const DEMO_NETWORKS = '127.0.0.0/8,::1/128';

export function slowServerEnv(env: Env, { slowPort }: Settings): Env {
  // Not HOST: any client of the slow server can make it misbehave.
  return { ...env, HOST: env.SLOW_HOST?.trim() || '127.0.0.1', PORT: String(slowPort) };
}

export function workerEnv(env: Env, settings: Settings, redis: PrivateRedis | undefined): Env {
  return {
    ...fleetEnv(env, settings, redis),
    OPS_PORT: String(settings.workerOpsPort),
    // Only this fleet uses the private Redis, which persists every permit.
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

/** Adds the user's list to the demo's own, so that the README's curl always works. */
function joined(own: string, added: string | undefined): string {
  return [own, added?.trim()].filter(Boolean).join(',');
}
