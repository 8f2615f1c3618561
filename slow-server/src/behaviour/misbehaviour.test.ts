import { once } from 'node:events';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { loadImage } from '@napi-rs/canvas';
import { expect, it } from 'vitest';
import { startTestServer } from '../http/test-server.ts';

const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

it('responds with any status and a sentence, and Retry-After if requested', async () => {
  const { get } = await startTestServer();
  const response = await get('/image?status=503&retryAfter=30');
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toBe('30');
  expect(await response.text()).toBe('Simulated response: 503 Service Unavailable.\n');
  expect(await (await get('/image?status=204')).text()).toBe('');
});

it('every: sends a new picture only when the time is up', async () => {
  const { get } = await startTestServer();
  const picture = async (every: string) =>
    await bytesOf(await get(`/image?size=64x36&every=${every}`));
  expect(await picture('24h')).toEqual(await picture('24h'));
  const first = await picture('50ms');
  await expect.poll(async () => (await picture('50ms')).equals(first)).toBe(false);
});

it('maxAge: says how long the picture may be kept', async () => {
  const { get } = await startTestServer();
  const response = await get('/image?size=64x36&maxAge=30');
  expect(response.headers.get('cache-control')).toBe('max-age=30');
});

it('html: declares image/jpeg and sends a page', async () => {
  const { get } = await startTestServer();
  const response = await get('/image?as=html');
  expect(response.headers.get('content-type')).toBe('image/jpeg');
  expect(await response.text()).toContain('<!doctype html>');
});

it('truncated: announces the whole picture and closes after half of it', async () => {
  const { origin } = await startTestServer();
  const [response] = (await once(
    httpGet(`${origin}/image?as=truncated&size=64x36`),
    'response',
  )) as [IncomingMessage];
  let received = 0;
  response.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  await expect(once(response, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(received).toBe(Math.ceil(Number(response.headers['content-length']) / 2));
});

it('cut: is complete HTTP, but the JPEG lacks its end', async () => {
  const { get } = await startTestServer();
  const response = await get('/image?as=cut&size=64x36');
  const bytes = await bytesOf(response);
  expect(response.headers.get('content-length')).toBe(String(bytes.length));
  expect(bytes.subarray(0, 2).toString('hex')).toBe('ffd8');
  expect(bytes.subarray(-2).toString('hex')).not.toBe('ffd9');
});

it('endless: sends for as long as a client reads, then ends the call', async () => {
  const { get, calls } = await startTestServer();
  const response = await get('/image/tap?as=endless&size=64x36');
  expect(response.headers.has('content-length')).toBe(false);
  let received = 0;
  for await (const chunk of response.body ?? []) {
    received += chunk.length;
    if (received > 20_000_000) break;
  }
  expect(received).toBeGreaterThan(20_000_000);
  await expect.poll(calls).toMatchObject([{ name: 'tap', status: 200, endMs: expect.any(Number) }]);
});

it('empty: has zero bytes', async () => {
  const { get } = await startTestServer();
  const response = await get('/image?as=empty&size=64x36');
  expect(response.status).toBe(200);
  expect(response.headers.get('content-length')).toBe('0');
  expect((await bytesOf(response)).length).toBe(0);
});

it('frozen: always sends the same bytes, and 304 to clients that have them', async () => {
  const { get } = await startTestServer();
  const first = await get('/image/ice?as=frozen&size=64x36');
  const bytes = await bytesOf(first);
  expect(bytes.equals(await bytesOf(await get('/image/ice?as=frozen&size=64x36')))).toBe(true);
  expect(bytes.equals(await bytesOf(await get('/image/snow?as=frozen&size=64x36')))).toBe(false);
  const conditions = {
    'If-None-Match': first.headers.get('etag') ?? '',
    'If-Modified-Since': first.headers.get('last-modified') ?? '',
  };
  for (const [name, value] of Object.entries(conditions)) {
    const again = await get('/image/ice?as=frozen&size=64x36', { headers: { [name]: value } });
    expect([again.status, await again.text()]).toEqual([304, '']);
  }
  const other = await get('/image/ice?as=frozen&size=80x45', {
    headers: { 'If-None-Match': conditions['If-None-Match'] },
  });
  expect(other.status).toBe(200);
});

it('drip: sends one byte at a time', async () => {
  const { get } = await startTestServer();
  const response = await get('/image?as=drip&size=64x36');
  expect(Number(response.headers.get('content-length'))).toBeGreaterThan(1000);
  const sizes: number[] = [];
  for await (const chunk of response.body ?? []) {
    sizes.push(chunk.length);
    if (sizes.length === 3) break;
  }
  expect(sizes).toEqual([1, 1, 1]);
});

it('huge: is a JPEG of 10 MiB that decodes', async () => {
  const { get } = await startTestServer();
  const response = await get('/image?as=huge&size=64x36');
  expect(response.headers.get('content-length')).toBe('10485760');
  const bytes = await bytesOf(response);
  expect(bytes.length).toBe(10_485_760);
  expect(await loadImage(bytes)).toMatchObject({ width: 64, height: 36 });
});

it('redirect: leads to another picture with the rest of the query, or to a given URL', async () => {
  const { get } = await startTestServer();
  const response = await get('/image/a?as=redirect&size=64x36');
  expect([response.status, response.headers.get('location')]).toEqual([
    302,
    '/image/elsewhere?size=64x36',
  ]);
  expect((await get('/image/elsewhere?size=64x36')).status).toBe(200);
  const far = await get('/image/a?as=redirect&to=http://10.0.0.1/x');
  expect(far.headers.get('location')).toBe('http://10.0.0.1/x');
});

it('gzip: compresses the picture without being requested to', async () => {
  const { origin } = await startTestServer();
  const [response] = (await once(httpGet(`${origin}/image?as=gzip&size=64x36`), 'response')) as [
    IncomingMessage,
  ];
  expect(response.headers['content-encoding']).toBe('gzip');
  const bytes = gunzipSync(Buffer.concat(await response.toArray()));
  expect(bytes.subarray(-2).toString('hex')).toBe('ffd9');
});

it('bytes: pads the JPEG to the requested size', async () => {
  const { get } = await startTestServer();
  expect((await bytesOf(await get('/image?bytes=500KiB'))).length).toBe(512_000);
});
