import { type Camera, cameraOf, parseCameraUrl } from '@lastframe/shared/cameras/camera';
import {
  type Source,
  type SourceDefaults,
  sourcesFromPatterns,
} from '@lastframe/shared/cameras/source';

/** For tests: the defaults of a source. */
export const testDefaults: SourceDefaults = {
  intervalMs: 5000,
  timeoutMs: 15_000,
  startAllowanceMs: 4000,
  headers: {},
  query: 'keep',
  networks: [],
  maxFrameBytes: 8 * 1024 ** 2,
  budget: { perSecond: 0, concurrency: 0 },
  staleForMs: 86_400_000,
  unnamedStaleForMs: 600_000,
  maxCameras: 10_000,
};

/** For tests: a source that allows every camera. */
export function testSource(rules: Partial<Source> = {}): Source {
  const [any] = sourcesFromPatterns(['http://*:*/*'], testDefaults);
  return { ...(any as Source), ...rules };
}

export function testCamera(name: string, rules: Partial<Source> = {}): Camera {
  return cameraOf(parseCameraUrl(`http://cam.test/${name}.jpg`), testSource(rules));
}
