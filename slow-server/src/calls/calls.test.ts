import { once } from 'node:events';
import { get as httpGet } from 'node:http';
import { expect, it } from 'vitest';
import { startTestServer } from '../http/test-server.ts';

it('records every call with its URL as requested, its times and its status', async () => {
  const { get, calls, origin } = await startTestServer();
  await (await get('/image/north%20runway?size=64x36&delay=50ms&x=%41')).arrayBuffer();
  await (await get('/image?status=500')).text();
  const [first, second] = await calls();
  expect(first).toEqual({
    number: 1,
    url: `${origin}/image/north%20runway?size=64x36&delay=50ms&x=%41`,
    name: 'north runway',
    startMs: expect.any(Number),
    endMs: expect.any(Number),
    status: 200,
  });
  expect((first?.endMs ?? 0) - (first?.startMs ?? 0)).toBeGreaterThan(48);
  expect(second).toMatchObject({ number: 2, name: 'image', status: 500 });
  expect(second?.startMs).toBeGreaterThanOrEqual(first?.endMs ?? Infinity);
});

it('records refused calls too, since they reached the camera', async () => {
  const { get, calls } = await startTestServer();
  await get('/image?delay=5');
  await get('/image/%00');
  await get('/image', { method: 'POST' });
  expect((await calls()).map(({ status }) => status)).toEqual([400, 400, 405]);
});

it('shows an open call, and ends it without a status if its client disconnects', async () => {
  const { origin, calls } = await startTestServer({ delayMs: 60_000 });
  const request = httpGet(`${origin}/image`);
  request.on('error', () => {});
  await expect.poll(calls).toMatchObject([{ number: 1, endMs: null, status: null }]);
  request.destroy();
  await expect.poll(calls).toMatchObject([{ number: 1, endMs: expect.any(Number), status: null }]);
});

it('shows only calls after a given number, and how many were dropped', async () => {
  const { get } = await startTestServer();
  for (let i = 0; i < 3; i++) await (await get('/image?as=empty')).arrayBuffer();
  const response = await get('/calls?since=2');
  expect(response.headers.get('x-calls-dropped')).toBe('0');
  expect(await response.json()).toMatchObject([{ number: 3 }]);
  expect((await get('/calls?since=x')).status).toBe(400);
});

it('forgets calls, and continues numbering', async () => {
  const { get, calls } = await startTestServer();
  await (await get('/image?as=empty')).arrayBuffer();
  expect((await get('/calls', { method: 'DELETE' })).status).toBe(204);
  expect(await calls()).toEqual([]);
  await (await get('/image?as=empty')).arrayBuffer();
  expect(await calls()).toMatchObject([{ number: 2 }]);
});

it('drops open calls when it closes', async () => {
  const { origin, close, calls } = await startTestServer({ delayMs: 60_000 });
  const request = httpGet(`${origin}/image`);
  const failed = once(request, 'error');
  await expect.poll(async () => (await calls()).length).toBe(1);
  await close();
  expect(await failed).toMatchObject([{ code: 'ECONNRESET' }]);
});
