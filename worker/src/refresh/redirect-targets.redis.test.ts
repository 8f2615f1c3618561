import { describe, expect, inject, it } from 'vitest';
import { testCamera, testSource } from '../test-support/cameras.ts';
import { openBench } from '../test-support/permit-bench.ts';
import { createRedirectTargets } from './redirect-targets.ts';

const target = { url: 'http://cam.test/planted-secret.jpg', hops: 1, isPermanent: false };

async function open(differences = {}) {
  const { link, client, keys } = await openBench(inject('redisUrl'));
  const camera = testCamera(undefined, testSource({ redirects: 'same-host', ...differences }));
  const key = keys.redirect(camera.cameraId);
  return { targets: createRedirectTargets(link, keys), camera, key, client };
}

describe('the target of a redirect', () => {
  it('is there for every worker, until it is forgotten', async () => {
    const { targets, camera } = await open();
    expect(await targets.read(camera)).toBeUndefined();
    await targets.remember(camera, target);
    expect(await targets.read(camera)).toEqual(target);
    await targets.forget(camera);
    expect(await targets.read(camera)).toBeUndefined();
  });

  it('cannot be read in Redis', async () => {
    const { targets, camera, key, client } = await open();
    await targets.remember(camera, target);
    const stored = (await client.get(key)) ?? '';
    expect(Buffer.from(stored, 'base64').toString('latin1')).not.toContain('planted');
    expect(await targets.read({ ...camera, url: 'http://cam.test/other' })).toBeUndefined();
  });

  it('expires soon, and only a move is kept for a day', async () => {
    const { targets, camera, key, client } = await open({ intervalMs: 5000 });
    await targets.remember(camera, target);
    expect(await client.pTTL(key)).toBeLessThanOrEqual(71_000);
    await targets.remember(camera, { ...target, isPermanent: true });
    expect(await client.pTTL(key)).toBeGreaterThan(23 * 3_600_000);
  });

  it('is ignored when malformed, or when its source no longer allows redirects', async () => {
    const { targets, camera, key, client } = await open();
    for (const text of ['', 'x', Buffer.alloc(100, 7).toString('base64')]) {
      await client.set(key, text);
      expect(await targets.read(camera)).toBeUndefined();
    }
    await targets.remember(camera, target);
    const source = testSource({ redirects: 'none' });
    expect(await targets.read({ ...camera, source })).toBeUndefined();
  });
});
