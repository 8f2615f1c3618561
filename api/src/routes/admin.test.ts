import { makeRules } from '@lastframe/shared/cameras/rules';
import { UrlPattern } from '@lastframe/shared/cameras/url-pattern';
import { RedisUnavailableError } from '@lastframe/shared/process/errors';
import { describe, expect, it, vi } from 'vitest';
import { testCamera, testSource } from '../../../testing/test-camera.ts';
import { heldFrame, testParts } from '../test-support/parts.ts';
import { type AdminDeps, createAdminRoutes } from './admin.ts';

const TOKEN = 'a-Token_of.24~chars+/==';
const WITH_TOKEN = { Authorization: `Bearer ${TOKEN}` };
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
const camera = testCamera('a');
const named = { ...testCamera('secret'), name: 'north' };
const { cameraId, url } = camera;

function adminParts(token = TOKEN) {
  const { clock, stored, reader, fleet, log } = testParts();
  const demand = { raise: vi.fn(), announcedWaitMs: vi.fn(() => 0) };
  const permitFreeInMs = vi.fn(async (_: string) => 0);
  const purge = vi.fn<AdminDeps['purge']>(async ({ cameraId: purgedId }, mode) => {
    return { cameraId: purgedId, mode, purgedAtMs: 1_790_000_000_123, frame: true, failure: false };
  });
  const rules = makeRules(
    [testSource({ pattern: new UrlPattern('http://cam.test/*') })],
    [{ name: 'north', title: 'North', keepWarm: false, camera: named }],
  );
  const deps = { clock, reader, demand, fleet, permitFreeInMs, purge, token, log };
  const app = createAdminRoutes({ ...deps, rules: () => rules });
  const post = async (path: string, init: RequestInit = {}) =>
    await app.request(path, { method: 'POST', headers: WITH_TOKEN, ...init });
  return { app, clock, stored, reader, fleet, demand, permitFreeInMs, purge, post };
}

const query = (params: Record<string, string>) => `?${new URLSearchParams(params)}`;

describe.each(['/refresh', '/purge'])('%s', (path) => {
  it.each([
    ['nothing', {}],
    ['another token', { Authorization: 'Bearer x' }],
    ['the beginning of the token', { Authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ['the token and more', { Authorization: `Bearer ${TOKEN}=` }],
    ['the token in another case', { Authorization: `Bearer ${TOKEN.toUpperCase()}` }],
    ['an empty token', { Authorization: 'Bearer ' }],
    ['the token as a password', { Authorization: `Basic ${btoa(`ops:${TOKEN}`)}` }],
    ['the token without a scheme', { Authorization: TOKEN }],
  ])('responds 401 to %s, and does nothing', async (_, headers) => {
    const { post, demand, purge } = adminParts();
    const answer = await post(path + query({ url }), { headers });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="Lastframe"/);
    expect(demand.raise).not.toHaveBeenCalled();
    expect(purge).not.toHaveBeenCalled();
  });

  it('responds 429 to a client that guessed too often, even with the right token', async () => {
    const { app } = adminParts();
    const ask = async (from: string, token: string) => {
      const init = { method: 'POST', headers: { Authorization: `Bearer ${token}` } };
      const env = { incoming: { socket: { remoteAddress: from } } };
      return (await app.request(path + query({ url }), init, env)).status;
    };
    for (let n = 0; n < 10; n += 1) expect(await ask('2001:db8::1', `guess-${n}`)).toBe(401);
    expect(await ask('2001:db8::2', TOKEN)).toBe(429); // in the same /64
    expect(await ask('2001:db8:0:1::1', TOKEN)).not.toBe(429);
  });

  it('responds 404 when no token is set, whatever is sent', async () => {
    const { post } = adminParts('');
    for (const headers of [{}, WITH_TOKEN, { Authorization: 'Bearer ' }] as Record<
      string,
      string
    >[]) {
      expect((await post(path + query({ url }), { headers })).status).toBe(404);
    }
  });

  it.each(['query', 'form'])('rejects a URL in the %s that is not encoded', async (where) => {
    const { post, demand, purge } = adminParts();
    const body = 'url=http://cam.test/a?user=me&pwd=s3cret';
    const init = { headers: { ...WITH_TOKEN, ...FORM }, body };
    const answer = await (where === 'form' ? post(path, init) : post(`${path}?${body}`));
    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(/pwd would be lost.*%26pwd%3D…/);
    expect(demand.raise).not.toHaveBeenCalled();
    expect(purge).not.toHaveBeenCalled();
  });

  it('accepts the scheme in any case', async () => {
    const { post } = adminParts();
    const headers = { Authorization: `bEARER  ${TOKEN} ` };
    expect((await post(path + query({ url }), { headers })).ok).toBe(true);
  });

  it('responds 405 to other methods with the token', async () => {
    const { app } = adminParts();
    const answer = await app.request(path + query({ url }), { headers: WITH_TOKEN });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await app.request(path)).status).toBe(401);
  });

  it('accepts the camera in the query or in a form, by URL or by name', async () => {
    const { post } = adminParts();
    const inForm = (body: Record<string, string>) =>
      post(path, { headers: { ...WITH_TOKEN, ...FORM }, body: new URLSearchParams(body) });
    for (const answer of [await post(path + query({ url })), await inForm({ url })]) {
      expect(await answer.json()).toMatchObject({ cameraId });
    }
    for (const answer of [await post(`${path}?camera=north`), await inForm({ camera: 'north' })]) {
      const body = await answer.json();
      expect(body).toMatchObject({ cameraId: named.cameraId, camera: 'north' });
      expect(JSON.stringify(body)).not.toContain('secret');
    }
  });

  it.each([
    ['', 400],
    ['?url=', 400],
    ['?camera=', 404],
    ['?camera=south', 404],
    ['?url=nonsense', 400],
    ['?url=http%3A%2F%2Felsewhere.test%2F', 403],
    [`${query({ url })}&camera=north`, 400],
    ['?camera=north&camera=north', 400],
  ])('with %j gets %d', async (search, status) => {
    const { post, demand, purge } = adminParts();
    const answer = await post(path + search);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(demand.raise).not.toHaveBeenCalled();
    expect(purge).not.toHaveBeenCalled();
  });

  it('rejects a form that is too large', async () => {
    const { post } = adminParts();
    const body = `url=${'x'.repeat(20_000)}`;
    const answer = await post(path, { headers: { ...WITH_TOKEN, ...FORM }, body });
    expect(answer.status).toBe(413);
  });

  it('responds 503 while Redis is down', async () => {
    const { post, reader, purge } = adminParts();
    reader.read.mockRejectedValue(new RedisUnavailableError('away'));
    purge.mockRejectedValue(new RedisUnavailableError('away'));
    const answer = await post(path + query({ url }));
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('2');
  });
});

describe('a refresh', () => {
  it('raises demand for a stale or missing frame, and says when a call is allowed', async () => {
    const { post, stored, demand, permitFreeInMs } = adminParts();
    const answer = await post(`/refresh${query({ url })}`);
    expect(answer.status).toBe(202);
    expect(await answer.json()).toEqual({ cameraId, outcome: 'asked', callableInMs: 0 });
    stored.held = heldFrame(camera, { startedAgoMs: 5000 });
    permitFreeInMs.mockResolvedValue(800);
    expect(await (await post(`/refresh${query({ url })}`)).json()).toMatchObject({
      outcome: 'asked',
      callableInMs: 800,
    });
    demand.announcedWaitMs.mockReturnValue(1200.4);
    expect(await (await post(`/refresh${query({ url })}`)).json()).toMatchObject({
      callableInMs: 1201,
    });
    expect(demand.raise.mock.calls.map(([raised]) => raised.cameraId)).toEqual(
      Array(3).fill(cameraId),
    );
  });

  it('raises demand after an interval, even if no new picture is expected yet', async () => {
    const { post, stored, demand } = adminParts();
    const lasting = testCamera('a', { maxIntervalMs: 600_000 });
    const outcomeAfter = async (startedAgoMs: number) => {
      stored.held = heldFrame(lasting, { startedAgoMs, freshForMs: 60_000 });
      return (await (await post(`/refresh${query({ url })}`)).json()) as { outcome: string };
    };
    expect(await outcomeAfter(4000)).toMatchObject({ outcome: 'fresh' });
    expect(await outcomeAfter(6000)).toMatchObject({ outcome: 'asked' });
    expect(demand.raise).toHaveBeenCalledOnce();
  });

  it('raises no demand for a fresh frame, and says when a call is allowed', async () => {
    const { post, stored, demand, permitFreeInMs } = adminParts();
    stored.held = heldFrame(camera, { startedAgoMs: 1000 });
    permitFreeInMs.mockResolvedValue(4015);
    const answer = await post(`/refresh${query({ url })}`);
    expect(answer.status).toBe(202);
    expect(await answer.json()).toEqual({ cameraId, outcome: 'fresh', callableInMs: 4015 });
    expect(demand.raise).not.toHaveBeenCalled();
  });

  it('gets 503 with the reason when no camera can be called', async () => {
    const { post, fleet, demand } = adminParts();
    fleet.closed = 'no worker is alive';
    const answer = await post(`/refresh${query({ url })}`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ detail: 'no worker is alive' });
    expect(demand.raise).not.toHaveBeenCalled();
  });
});

describe('a purge', () => {
  it('is soft unless hard=1', async () => {
    const { post, purge } = adminParts();
    const answer = await post(`/purge${query({ url })}`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      cameraId,
      mode: 'soft',
      frame: true,
      failure: false,
      purgedAt: '2026-09-21T14:13:20.123Z',
    });
    await post(`/purge${query({ url, hard: '0' })}`);
    expect(await (await post(`/purge${query({ url, hard: '1' })}`)).json()).toMatchObject({
      mode: 'hard',
    });
    expect(purge.mock.calls.map(([, mode]) => mode)).toEqual(['soft', 'soft', 'hard']);
  });

  it.each(['yes', 'true', '2', ''])('with hard=%j gets 400', async (hard) => {
    const { post, purge } = adminParts();
    expect((await post(`/purge${query({ url, hard })}`)).status).toBe(400);
    expect(purge).not.toHaveBeenCalled();
  });
});
