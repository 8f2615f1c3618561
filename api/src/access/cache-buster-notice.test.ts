import { findCamera } from '@lastframe/shared/cameras/rules';
import { expect, it, vi } from 'vitest';
import { testSource } from '../../../testing/test-camera.ts';
import { silentLog } from '../test-support/parts.ts';
import { createCacheBusterNotice } from './cache-buster-notice.ts';

const gate = testSource({ name: 'gate' });

function noticeParts() {
  const info = vi.spyOn(silentLog, 'info').mockClear();
  const notice = createCacheBusterNotice(silentLog);
  const request = (url: string, source = gate) => notice(url, findCamera(url, [source]));
  return { info, request };
}

it('the first cache-buster that a source ignores is logged, with the option, once per source', () => {
  const { info, request } = noticeParts();
  request('http://cam.test/i?user=me&t=12');
  request('http://cam.test/i?user=me&t=13');
  expect(info.mock.calls).toEqual([
    [
      { source: 'gate', cameraId: expect.any(String), parameters: ['t'] },
      expect.stringContaining('set cacheBusters: keep for this source'),
    ],
  ]);
  request('http://cam.test/j?1764413962123', testSource({ name: 'other' }));
  expect(info).toHaveBeenCalledTimes(2);
});

it('nothing is logged for a URL without one, or that keeps it', () => {
  const { info, request } = noticeParts();
  request('http://cam.test/i?t=north');
  request('http://CAM.test:80/i?w=%31#x');
  request('http://cam.test/i?t=12', testSource({ cacheBusters: 'keep' }));
  request('http://cam.test/i?t=12', testSource({ query: ['w'] }));
  expect(info).not.toHaveBeenCalled();
});
