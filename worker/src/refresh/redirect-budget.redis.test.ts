import type { Source } from '@lastframe/shared/cameras/source';
import { systemClock } from '@lastframe/shared/process/clock';
import { expect, inject, it } from 'vitest';
import { openBench } from '../test-support/permit-bench.ts';
import { refreshBench } from '../test-support/refresh-bench.ts';
import { refresh } from './refresh.ts';

/** A camera that was redirected to this URL, with the permits of a real Redis. */
async function redirectedTo(url: string, differences: Partial<Source>) {
  const bench = refreshBench({ redirects: 'same-host', ...differences });
  const { permits, client, keys } = await openBench(inject('redisUrl'));
  bench.control.redirect = { url, hops: 1, isPermanent: false };
  const { deps, job } = bench;
  deps.clock = systemClock;
  deps.permits = permits;
  deps.finishPermit = (permit, endNow) => permits.finish(permit, endNow());
  return { ...bench, client, keys, call: async () => (await refresh(job, deps)).text };
}

it('a redirected call is one call in the budget of its source', async () => {
  for (const budget of [
    { perSecond: 0, concurrency: 1 },
    { perSecond: 1, concurrency: 0 },
  ]) {
    const { call } = await redirectedTo('http://camera.test/dated.jpg', { budget });
    expect(await call()).toBe('captured');
  }
});

it('a target that differs only in what its source ignores has the permit of its camera', async () => {
  const url = 'http://camera.test/a?t=1764413962123';
  const { call, told, camera, client, keys } = await redirectedTo(url, { query: 'keep' });
  expect(await call()).toBe('captured');
  expect(told).toContainEqual(expect.objectContaining({ what: 'connect', url }));
  expect(await client.pTTL(keys.permit(camera.cameraId))).toBeGreaterThan(0);
  expect(await call()).toBe('denied: spaced');
});
