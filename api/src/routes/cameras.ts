import { isIntervalVariable } from '@lastframe/shared/cameras/fresh-time';
import type { Context } from 'hono';
import type { CameraList, ListedCamera } from '../camera-status/camera-list.ts';
import { describeState } from '../camera-status/camera-status.ts';

export interface CamerasDeps {
  cameraList: Pick<CameraList, 'read'>;
  basePath: string;
}

/** `GET, HEAD /cameras`: the named cameras and their health. */
export async function getCameras(c: Context, deps: CamerasDeps): Promise<Response> {
  const listed = await deps.cameraList.read();
  const cameras = listed.map((one) => describe(one, deps.basePath));
  return c.json({ cameras }, 200, {
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
}

function describe({ named, state, nowMs, lateAfterMs }: ListedCamera, basePath: string) {
  const { name, title, camera } = named;
  const { source } = camera;
  return {
    name,
    title,
    image: `${basePath === '/' ? '' : basePath}/cameras/${encodeURIComponent(name)}`,
    intervalMs: source.intervalMs,
    ...(isIntervalVariable(source) && { maxIntervalMs: source.maxIntervalMs }),
    lateAfterMs,
    ...describeState(state, nowMs),
  };
}
