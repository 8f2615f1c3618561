import type { HealthFacts } from '@lastframe/shared/cameras/camera-health';
import { makeRules } from '@lastframe/shared/cameras/rules';
import { UrlPattern } from '@lastframe/shared/cameras/url-pattern';
import type { ProblemError } from '@lastframe/shared/process/errors';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testCamera, testSource } from '../../../testing/test-camera.ts';
import { problemResponse } from '../answer/problem.ts';
import { heldFrame, streamParts, testDemand, testParts } from '../test-support/parts.ts';
import { getEvents } from './events.ts';
import { getStream, type MjpegDeps } from './mjpeg.ts';

const source = testSource({ pattern: new UrlPattern('http://cam.test/*') });
const camera = testCamera('gate', { pattern: source.pattern });
const named = { name: 'gate', title: 'Gate', keepWarm: false, camera: { ...camera, name: 'gate' } };
const url = encodeURIComponent('http://cam.test/other.jpg');

beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2026, 8, 22, 10) }));
afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

function appParts(maxStreams = 10) {
  const parts = testParts();
  const demand = testDemand();
  const streamed = streamParts(parts, demand, { maxStreams });
  const { cameraFeed, tellRead } = streamed;
  const { framesClock } = parts;
  const facts = new Map<string, HealthFacts>();
  parts.reader.read.mockImplementation(async (target) => {
    const held = parts.memory.peek(target.cameraId);
    const read = held ? { held } : {};
    tellRead(target, read, facts.get(target.cameraId));
    return read;
  });
  let rules = makeRules([source], [named]);
  const noticeCacheBuster = vi.fn();
  const deps: MjpegDeps = {
    ...parts,
    ...streamed,
    noticeCacheBuster,
    rules: () => rules,
  };
  const app = new Hono();
  app.get('/events', (c) => getEvents(c, deps));
  app.get('/stream', (c) => getStream(c, deps));
  app.onError((error, c) => problemResponse((error as ProblemError).problem, c.req.path));
  /** Reads a new frame of the camera. */
  const capture = (text: string) => {
    const atMs = framesClock.nowMs();
    const times = { startedAtMs: atMs, capturedAtMs: atMs, changedAtMs: atMs };
    const held = heldFrame(named.camera, { text, ...times });
    parts.memory.set(camera.cameraId, held);
    facts.set(camera.cameraId, { frame: times, goodSinceMs: atMs });
    cameraFeed.onRead(named.camera, held, {
      nowMs: atMs,
      facts: { frame: times, goodSinceMs: atMs },
    });
    return held;
  };
  const watch = async (path: string, headers: Record<string, string> = {}) => {
    const response = await app.request(path, { headers });
    const reader = response.body?.getReader();
    await vi.advanceTimersByTimeAsync(0);
    const read = async () => {
      const { value } = (await reader?.read()) ?? {};
      return value && Buffer.from(value).toString();
    };
    return { response, read, leave: () => reader?.cancel() };
  };
  const setRules = (names: (typeof named)[]) => {
    rules = makeRules([source], names);
    streamed.streams.applyRules(rules);
  };
  const { raise } = demand;
  return { ...parts, ...streamed, noticeCacheBuster, app, capture, watch, raise, setRules };
}

describe('GET /events', () => {
  it('responds 200 at once, sends the state of each camera, then updates', async () => {
    const { capture, watch } = appParts();
    const { etag } = capture('first');
    const { response, read } = await watch(`/events?camera=gate&url=${url}`);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      connection: 'close',
    });
    const at = '2026-09-22T10:00:00.000Z';
    const frame = {
      camera: 'gate',
      etag,
      contentType: 'image/jpeg',
      sizeBytes: 5,
      startedAt: at,
      capturedAt: at,
      changedAt: at,
      ageMs: 0,
      health: 'live',
      healthSince: at,
    };
    const idle = { url: 'http://cam.test/other.jpg', health: 'idle' };
    expect(await read()).toBe(
      `retry: 2000\n\nevent: frame\nid: ${etag}\ndata: ${JSON.stringify(frame)}\n\nevent: health\ndata: ${JSON.stringify(idle)}\n\n`,
    );
    const next = capture('second');
    expect(await read()).toContain(`event: frame\nid: ${next.etag}\n`);
  });

  it('does not resend a frame that a returning viewer has', async () => {
    const { capture, watch } = appParts();
    const { etag } = capture('first');
    const back = await watch('/events?camera=gate', { 'Last-Event-ID': etag });
    expect(await back.read()).toContain(`event: unchanged\nid: ${etag}\n`);
    const late = await watch('/events?camera=gate', { 'Last-Event-ID': '"of another frame"' });
    expect(await late.read()).toContain(`event: frame\nid: ${etag}\n`);
  });

  it('skips frames for a slow viewer, and sends the latest with its current health', async () => {
    const { capture, watch, cameraFeed } = appParts();
    const { read } = await watch('/events?camera=gate');
    await read();
    for (const text of ['a', 'b', 'c']) capture(text);
    const last = capture('d');
    await vi.advanceTimersByTimeAsync(60_000);
    cameraFeed.poll(); // late by now: the viewer gets both at once
    const text = await read();
    expect(text?.match(/^event:/gm)).toHaveLength(1);
    expect(text).toContain(`event: frame\nid: ${last.etag}\n`);
    expect(text).toContain('"health":"late"');
  });

  it('sends heartbeats, but at most one to a viewer that does not read', async () => {
    const { watch, streams, capture } = appParts();
    const { read } = await watch('/events?camera=gate');
    await read();
    streams.sendHeartbeats();
    streams.sendHeartbeats();
    expect(await read()).toBe(': still here\n\n');
    const waiting = read();
    capture('a');
    expect(await waiting).toContain('event: frame');
  });

  it('ends with a reconnect time when this process closes', async () => {
    const { watch, streams, presence } = appParts();
    const { read } = await watch('/events?camera=gate');
    await read();
    streams.close();
    expect([await read(), await read()]).toEqual(['retry: 1750\n\n', undefined]);
    expect(presence.isPresent(camera.cameraId)).toBe(false);
    const late = await watch('/events?camera=gate');
    await late.read();
    expect([await late.read(), await late.read()]).toEqual(['retry: 1750\n\n', undefined]);
  });

  it('drops a camera that the rules no longer contain', async () => {
    const { watch, setRules, presence } = appParts();
    const { read } = await watch(`/events?camera=gate&url=${url}`);
    await read();
    setRules([]);
    const text = await read();
    expect(text).toMatch(/^event: failure\ndata: \{"camera":"gate","health":"failing",/);
    expect(text).toContain('no camera has this name');
    expect(presence.isPresent(camera.cameraId)).toBe(false);
  });

  it('switches to the new camera when the rules reassign its name', async () => {
    const { watch, setRules, presence } = appParts();
    const { read } = await watch('/events?camera=gate');
    await read();
    const other = testCamera('elsewhere', { pattern: source.pattern });
    setRules([{ ...named, camera: { ...other, name: 'gate' } }]);
    expect(presence.isPresent(camera.cameraId)).toBe(false);
    expect(presence.isPresent(other.cameraId)).toBe(true);
    expect(await read()).toContain('"health":"idle"');
  });
});

describe.each(['/events', '/stream'])('GET %s', (path) => {
  it('rejects a URL that is not encoded, also where the camera has a parameter named camera', async () => {
    const { app } = appParts();
    for (const stray of ['pwd=s3cret', 'camera=2', 'exp=5']) {
      const response = await app.request(`${path}?url=http://cam.test/i?a=1&${stray}`);
      expect(response.status).toBe(400);
      const { detail } = (await response.json()) as { detail: string };
      expect(detail).toContain(`${path}?url=http%3A%2F%2Fcam.test%2Fi%3Fa%3D1%26`);
      expect(detail).not.toContain('s3cret');
    }
  });

  it('is the same camera whatever its cache-buster, and says so once', async () => {
    const { app, raise, noticeCacheBuster } = appParts();
    const open = (n: number) => app.request(`${path}?url=http://cam.test/i?t=${n}`);
    for (const response of [await open(10), await open(11)]) await response.body?.cancel();
    expect(new Set(raise.mock.calls.map(([{ url }]) => url))).toEqual(
      new Set(['http://cam.test/i']),
    );
    expect(noticeCacheBuster).toHaveBeenLastCalledWith(
      'http://cam.test/i?t=11',
      expect.objectContaining({ url: 'http://cam.test/i' }),
    );
  });
});

describe('GET /stream', () => {
  it('sends the boundary and the head of the next part right after each image', async () => {
    const { capture, watch } = appParts();
    capture('first');
    const { response, read } = await watch('/stream?camera=gate');
    expect(response.headers.get('content-type')).toBe('multipart/x-mixed-replace; boundary=frame');
    const head = '--frame\r\nContent-Type: image/jpeg\r\n\r\n';
    expect([await read(), await read(), await read()]).toEqual([head, 'first', `\r\n${head}`]);
    capture('second');
    expect([await read(), await read()]).toEqual(['second', `\r\n${head}`]);
  });

  it('skips frames for a slow viewer', async () => {
    const { capture, watch } = appParts();
    const { read } = await watch('/stream?camera=gate');
    for (const text of ['a', 'b', 'c']) capture(text);
    expect(await read()).toMatch(/^--frame/);
    expect(await read()).toBe('c');
  });

  it('also sends a frame that does not fit in memory', async () => {
    const { capture, watch, memory, reader } = appParts();
    const { leave } = await watch('/events?camera=gate');
    const held = capture('large');
    memory.clear();
    reader.read.mockImplementation(async () => ({ held }));
    const { read } = await watch('/stream?camera=gate');
    expect([await read(), await read()]).toEqual([expect.stringMatching(/^--frame/), 'large']);
    await leave();
  });
});

describe('a stream', () => {
  it.each(['/events', '/stream', '/stream?camera=gate&url=x', `/stream?url=${url}&url=${url}`])(
    'of no camera, or of too many, gets 400: %s',
    async (path) => expect((await appParts().app.request(path)).status).toBe(400),
  );

  it.each([
    ['/events?camera=none', 404],
    ['/stream?camera=none', 404],
    [`/events?camera=gate&url=${encodeURIComponent('http://elsewhere.test/')}`, 403],
    ['/events?url=', 400],
  ])('of a camera that is unknown or not allowed is rejected: %s gets %d', async (path, status) => {
    const { app, presence } = appParts();
    expect((await app.request(path)).status).toBe(status);
    expect(presence.isPresent(camera.cameraId)).toBe(false);
  });

  it.each(['/events?camera=gate', '/stream?camera=gate'])(
    'is not opened by HEAD, which gets the same headers: %s',
    async (path) => {
      const { app, presence, streams } = appParts(0);
      const response = await app.request(path, { method: 'HEAD' });
      expect([response.status, response.body]).toEqual([200, null]);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect([presence.isPresent(camera.cameraId), streams.count()]).toEqual([false, 0]);
    },
  );

  it('over the limit gets 503, until another one closes', async () => {
    const { app, watch } = appParts(1);
    const { leave } = await watch('/stream?camera=gate');
    const refused = await app.request('/events?camera=gate');
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('2');
    await leave();
    expect((await app.request('/events?camera=gate')).status).toBe(200);
  });

  it('is closed at once when its viewer leaves', async () => {
    const { watch, presence } = appParts();
    const { leave } = await watch('/events?camera=gate');
    expect(presence.isPresent(camera.cameraId)).toBe(true);
    await leave();
    expect(presence.isPresent(camera.cameraId)).toBe(false);
  });
});
