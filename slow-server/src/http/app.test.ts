import { loadImage } from '@napi-rs/canvas';
import { describe, expect, it } from 'vitest';
import { startTestServer } from './test-server.ts';

describe('a picture', () => {
  it('is a JPEG drawn for each call', async () => {
    const { get } = await startTestServer();
    const first = await get('/image');
    expect(first.headers.get('content-type')).toBe('image/jpeg');
    const bytes = Buffer.from(await first.arrayBuffer());
    expect(first.headers.get('content-length')).toBe(String(bytes.length));
    expect(await loadImage(bytes)).toMatchObject({ width: 1280, height: 720 });
    expect(bytes.equals(Buffer.from(await (await get('/image')).arrayBuffer()))).toBe(false);
  });

  it('has only headers for HEAD, whatever the behaviour', async () => {
    const { get } = await startTestServer();
    for (const query of ['', 'as=endless', 'as=truncated', 'as=huge']) {
      const response = await get(`/image?size=64x36&${query}`, { method: 'HEAD' });
      expect([response.status, await response.text()]).toEqual([200, '']);
    }
  });

  it.each(['/image?delay=5', '/image?as=foo', '/image/%00', '/image?size=9x9'])(
    'is refused with an explanation if the call is invalid: %s',
    async (path) => {
      const { get } = await startTestServer();
      const response = await get(path);
      expect(response.status).toBe(400);
      expect(await response.text()).toMatch(
        /^(".+" is ".+", expected .+\.|The camera's name .+\.)\n$/,
      );
    },
  );
});

describe('behaviours', () => {
  it('apply to all later calls to a camera until they are deleted', async () => {
    const { get } = await startTestServer();
    const set = await get('/behaviours/north%20runway?status=500&delay=1ms', { method: 'PUT' });
    expect(await set.json()).toEqual({ 'north runway': { status: 500, delayMs: 1 } });
    expect((await get('/image/north%20runway?size=64x36')).status).toBe(500);
    expect((await get('/image/south?size=64x36')).status).toBe(200);
    expect(await (await get('/behaviours')).json()).toEqual({
      'north runway': { status: 500, delayMs: 1 },
    });
    expect((await get('/behaviours/north%20runway', { method: 'DELETE' })).status).toBe(204);
    expect((await get('/image/north%20runway?size=64x36')).status).toBe(200);
  });

  it("are overridden by a call's own query", async () => {
    const { get } = await startTestServer();
    await get('/behaviours/image?as=html', { method: 'PUT' });
    expect((await get('/image?status=404')).status).toBe(404);
    expect(Buffer.from(await (await get('/image?as=image&size=64x36')).arrayBuffer())[0]).toBe(
      0xff,
    );
  });

  it('thaw a frozen camera when they change', async () => {
    const { get } = await startTestServer();
    const freeze = async () => {
      await get('/behaviours/image?as=frozen', { method: 'PUT' });
      const tags = [await get('/image?size=64x36'), await get('/image?size=64x36')].map((it) =>
        it.headers.get('etag'),
      );
      expect(tags[0]).toBe(tags[1]);
      return tags[0];
    };
    expect(await freeze()).not.toBe(await freeze());
  });

  it('can all be deleted at once', async () => {
    const { get } = await startTestServer();
    await get('/behaviours/a?as=html', { method: 'PUT' });
    await get('/behaviours', { method: 'DELETE' });
    expect(await (await get('/behaviours')).json()).toEqual({});
  });

  it('are refused if they are empty or invalid', async () => {
    const { get } = await startTestServer();
    for (const path of ['/behaviours/a', '/behaviours/a?as=foo', '/behaviours/%00?as=html']) {
      expect((await get(path, { method: 'PUT' })).status).toBe(400);
    }
  });
});

describe('the other routes', () => {
  it('include help and a liveness probe', async () => {
    const { get } = await startTestServer();
    const help = await (await get('/')).text();
    for (const route of ['GET /image/<name>', 'GET /calls', 'GET /pauses', 'GET /livez']) {
      expect(help).toContain(route);
    }
    expect((await get('/livez')).status).toBe(200);
  });

  it.each([
    ['/image', 'GET, HEAD'],
    ['/image/a', 'GET, HEAD'],
    ['/calls', 'GET, HEAD, DELETE'],
    ['/behaviours', 'GET, HEAD, DELETE'],
    ['/behaviours/a', 'PUT, DELETE'],
    ['/livez', 'GET, HEAD'],
    ['/', 'GET, HEAD'],
  ])('refuse other methods on %s and list the allowed ones', async (path, allow) => {
    const { get } = await startTestServer();
    const response = await get(path, { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
  });

  it.each(['/images', '/nothing', '/image.jpg'])('do not include %s', async (path) => {
    const { get } = await startTestServer();
    expect((await get(path)).status).toBe(404);
  });
});
