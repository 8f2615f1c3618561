import type { Env } from '@lastframe/shared/settings/config';
import { settingsReader } from '../settings-reader.ts';

/** @throws Error with a line for each fault */
export function readLoadSettings(env: Env) {
  const { port, count, durationMs, check } = settingsReader(env);
  const api = `http://localhost:${port('PORT', 8088)}`;
  const slowServer = `http://localhost:${port('SLOW_PORT', 8888)}`;
  const cameraUrl = `${slowServer}/image`;
  const settings = {
    /** The camera's frame, served by the api. */
    url: `${api}/images?url=${encodeURIComponent(cameraUrl)}`,
    /** The camera itself. */
    cameraUrl,
    callsUrl: `${slowServer}/calls`,
    durationMs: durationMs('DURATION', '10s'),
    connections: count('CONNECTIONS', 100, 10_000),
  };
  check();
  return settings;
}
