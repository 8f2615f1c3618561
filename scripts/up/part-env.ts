import type { Env } from '@lastframe/shared/settings/config';
import { DEMO_SOURCES_FILE } from './demo-cameras.ts';
import type { Settings } from './settings.ts';

/** The demo's camera is on this machine, and local networks are rejected unless allowed. */
const DEMO_NETWORKS = '127.0.0.0/8,::1/128';

export function slowServerEnv(env: Env, { slowPort }: Settings): Env {
  // Not HOST: any client of the slow server can make it misbehave.
  return { ...env, HOST: env.SLOW_HOST?.trim() || '127.0.0.1', PORT: String(slowPort) };
}

/** @param privateRedisUrl undefined with an external Redis */
export function workerEnv(env: Env, settings: Settings, privateRedisUrl: string | undefined): Env {
  return {
    ...fleetEnv(env, settings, privateRedisUrl),
    OPS_PORT: String(settings.workerOpsPort),
    // Only this fleet uses the private Redis, which persists every permit.
    ...(privateRedisUrl && { ADOPT_REDIS: env.ADOPT_REDIS?.trim() || 'true' }),
  };
}

export function apiEnv(
  env: Env,
  settings: Settings,
  privateRedisUrl: string | undefined,
  opsPort: number,
): Env {
  return {
    ...fleetEnv(env, settings, privateRedisUrl),
    PORT: String(settings.apiPort),
    REUSE_PORT: String(settings.reusePort),
    OPS_PORT: String(opsPort),
  };
}

function fleetEnv(env: Env, { slowPort }: Settings, privateRedisUrl: string | undefined): Env {
  return {
    ...env,
    ...(privateRedisUrl && { REDIS_URL: privateRedisUrl }),
    ALLOWED_SOURCES: joined(`http://localhost:${slowPort}/*`, env.ALLOWED_SOURCES),
    SOURCES_FILE: env.SOURCES_FILE?.trim() || DEMO_SOURCES_FILE,
    ALLOWED_NETWORKS: joined(DEMO_NETWORKS, env.ALLOWED_NETWORKS),
  };
}

/** Adds the user's list to the demo's own, so that the README's curl always works. */
function joined(own: string, added: string | undefined): string {
  return [own, added?.trim()].filter(Boolean).join(',');
}
