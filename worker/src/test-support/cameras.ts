import { randomUUID } from 'node:crypto';
import { type Camera, cameraIdOf } from '@lastframe/shared/cameras/camera';
import type { Source } from '@lastframe/shared/cameras/source';
import { UrlPattern } from '@lastframe/shared/cameras/url-pattern';
import { createLog } from '@lastframe/shared/process/log';
import ipaddr from 'ipaddr.js';

export const silentLog = createLog('worker', 'silent');

/** Returns a source that allows loopback and has the environment's defaults, unless overridden. */
export function testSource(differences: Partial<Source> = {}): Source {
  return {
    name: `source-${randomUUID()}`,
    pattern: new UrlPattern('http://*:*/*'),
    intervalMs: 5000,
    timeoutMs: 15_000,
    startAllowanceMs: 4000,
    headers: {},
    query: 'keep',
    networks: [ipaddr.parseCIDR('127.0.0.0/8'), ipaddr.parseCIDR('::1/128')],
    maxFrameBytes: 8 * 1024 * 1024,
    budget: { perSecond: 0, concurrency: 0 },
    staleForMs: 86_400_000,
    unnamedStaleForMs: 600_000,
    maxCameras: 0,
    ...differences,
  };
}

export function testCamera(
  url = `http://camera.test/${randomUUID()}`,
  source: Source = testSource(),
): Camera {
  return { cameraId: cameraIdOf(url), url, source };
}
