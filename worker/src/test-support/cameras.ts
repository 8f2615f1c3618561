import { randomUUID } from 'node:crypto';
import { type Camera, cameraIdOf } from '@lastframe/shared/cameras/camera';
import type { Source } from '@lastframe/shared/cameras/source';
import { createLog } from '@lastframe/shared/process/log';
import ipaddr from 'ipaddr.js';
import { testSource as anySource } from '../../../testing/test-camera.ts';

/** Of a response that says nothing about caching. */
export const noHints = { isCopy: false };

export const silentLog = createLog('worker', 'silent');

/** Returns a source that allows loopback and has the environment's defaults, unless overridden. */
export function testSource(differences: Partial<Source> = {}): Source {
  return {
    ...anySource(differences),
    name: `source-${randomUUID()}`,
    networks: [ipaddr.parseCIDR('127.0.0.0/8'), ipaddr.parseCIDR('::1/128')],
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
