import { type Camera, cameraOf, parseCameraUrl } from '@lastframe/shared/cameras/camera';
import {
  type Source,
  type SourceDefaults,
  sourcesFromPatterns,
} from '@lastframe/shared/cameras/source';
import { NAMED_LIMIT } from '@lastframe/shared/frames/frame-limits';

/** For tests: the defaults of a source. */
export const testDefaults: SourceDefaults = {
  intervalMs: 5000,
  maxIntervalMs: 5000,
  timeoutMs: 15_000,
  startAllowanceMs: 4000,
  headers: {},
  query: 'keep',
  redirects: 'none',
  cacheBusters: 'strip',
  networks: [],
  maxFrameBytes: 8 * 1024 ** 2,
  acceptTruncated: false,
  conditional: true,
  placeholders: [],
  budget: { perSecond: 0, concurrency: 0 },
  staleForMs: 86_400_000,
  unnamedStaleForMs: 600_000,
  maxCameras: 10_000,
};

/** For tests: a source that allows every camera. */
export function testSource(rules: Partial<Source> = {}): Source {
  const [any] = sourcesFromPatterns(['http://*:*/*'], testDefaults);
  const maxIntervalMs = rules.intervalMs ?? testDefaults.intervalMs;
  return { ...(any as Source), maxIntervalMs, ...rules };
}

/** For tests: how a named camera's frames are stored, if its gaps do not matter. */
export function testStorage(staleForMs: number) {
  const limits = { firstLimit: NAMED_LIMIT, growthLimit: NAMED_LIMIT };
  const kept = { staleForMs, keepMs: staleForMs, keepHealthMs: staleForMs };
  return { ...kept, ...limits, longestGapMs: Number.MAX_SAFE_INTEGER };
}

export function testCamera(name: string, rules: Partial<Source> = {}): Camera {
  return cameraOf(parseCameraUrl(`http://cam.test/${name}.jpg`), testSource(rules));
}
