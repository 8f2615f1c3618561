import type { HealthFacts } from '@lastframe/shared/cameras/camera-health';
import { makeRules } from '@lastframe/shared/cameras/rules';
import { UrlPattern } from '@lastframe/shared/cameras/url-pattern';
import type { ProblemError } from '@lastframe/shared/process/errors';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testCamera, testSource } from '../../../testing/test-camera.ts';
import { problemResponse } from '../answer/problem.ts';
import { heldFrame, streamParts, testParts } from '../test-support/parts.ts';
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
  const raise = vi.fn();
  const demand = {
    raise,
    onAnnouncement: vi.fn(),
    recheck: vi.fn(),
    announcedWaitMs: () => 0,
    refusal: () => undefined,
    close: vi.fn(),
  };
  const streamed = streamParts(parts, demand, { maxStreams });
  const { live, tellRead, framesClock } = streamed;
  const facts = new Map<string, HealthFacts>();
  parts.reader.read.mockImplementation(async (asked) => {
    const held = parts.memory.peek(asked.cameraId);
    const read = held ? { held } : {};
    tellRead(asked, read, facts.get(asked.cameraId));
    return read;
  });
  let rules = makeRules([source], [named]);
  const deps: MjpegDeps = {
    ...parts,
    ...streamed,
    rules: () => rules,
  };
  const app = new Hono();
  app.get('/events', (c) => getEvents(c, deps));
  app.get('/stream', (c) => getStream(c, deps));
  app.onError((error, c) => problemResponse((error as ProblemError).problem, c.req.path));
  /** A new frame of the camera is read. */
  const capture = (text: string) => {
    const atMs = framesClock.nowMs();
    const times = { startedAtMs: atMs, capturedAtMs: atMs, changedAtMs: atMs };
    const held = heldFrame(named.camera, { text, ...times });
    parts.memory.set(camera.cameraId, held);
    facts.set(camera.cameraId, { frame: times, goodSinceMs: atMs });
    live.onRead(named.camera, held, { nowMs: atMs, facts: { frame: times, goodSinceMs: atMs } });
    return held;
  };
  const watch = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await app.request(path, { headers });
    const reader = answer.body?.getReader();
    await vi.advanceTimersByTimeAsync(0);
    const read = async () => {
      const { value } = (await reader?.read()) ?? {};
      return value && Buffer.from(value).toString();
    };
    return { answer, read, leave: () => reader?.cancel() };
  };
  const setRules = (names: (typeof named)[]) => {
    rules = makeRules([source], names);
    streamed.streams.applyRules(rules);
  };
  return { ...parts, ...streamed, app, capture, watch, raise, setRules };
}

describe('GET /events', () => {
  it('is 200 at once, and tells how each camera is, then what is new', async () => {
    const { capture, watch } = appParts();
    const { etag } = capture('first');
    const { answer, read } = await watch(`/events?camera=gate&url=${url}`);
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
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

  it('tells a viewer who comes back of no frame that he has', async () => {
    const { capture, watch } = appParts();
    const { etag } = capture('first');
    const back = await watch('/events?camera=gate', { 'Last-Event-ID': etag });
    expect(await back.read()).toContain(`event: unchanged\nid: ${etag}\n`);
    const late = await watch('/events?camera=gate', { 'Last-Event-ID': '"of another frame"' });
    expect(await late.read()).toContain(`event: frame\nid: ${etag}\n`);
  });

  it('skips frames for a viewer who does not read, but none is news for ever', async () => {
    const { capture, watch, live } = appParts();
    const { read } = await watch('/events?camera=gate');
    await read();
    for (const text of ['a', 'b', 'c']) capture(text);
    const last = capture('d');
    await vi.advanceTimersByTimeAsync(60_000);
    live.poll(); // late by now: he learns both at once
    const text = await read();
    expect(text?.match(/^event:/gm)).toHaveLength(1);
    expect(text).toContain(`event: frame\nid: ${last.etag}\n`);
    expect(text).toContain('"health":"late"');
  });

  it('gives signs of life, but no more than one to who does not read', async () => {
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

  it('ends with a time to come back at, when this process closes', async () => {
    const { watch, streams, viewers } = appParts();
    const { read } = await watch('/events?camera=gate');
    await read();
    streams.close();
    expect([await read(), await read()]).toEqual(['retry: 1750\n\n', undefined]);
    expect(viewers.isPresent(camera.cameraId)).toBe(false);
    const late = await watch('/events?camera=gate');
    await late.read();
    expect([await late.read(), await late.read()]).toEqual(['retry: 1750\n\n', undefined]);
  });

  it('lets go of a camera that the rules no longer have, and ends after the last', async () => {
    const { watch, setRules, viewers } = appParts();
    const { read } = await watch(`/events?camera=gate&url=${url}`);
    await read();
    setRules([]);
    const text = await read();
    expect(text).toMatch(/^event: failure\ndata: \{"camera":"gate","health":"failing",/);
    expect(text).toContain('there is no camera of this name');
    expect(viewers.isPresent(camera.cameraId)).toBe(false);
  });

  it('follows a name to another camera', async () => {
    const { watch, setRules, viewers } = appParts();
    const { read } = await watch('/events?camera=gate');
    await read();
    const other = testCamera('elsewhere', { pattern: source.pattern });
    setRules([{ ...named, camera: { ...other, name: 'gate' } }]);
    expect(viewers.isPresent(camera.cameraId)).toBe(false);
    expect(viewers.isPresent(other.cameraId)).toBe(true);
    expect(await read()).toContain('"health":"idle"');
  });
});

describe('GET /stream', () => {
  it('sends the boundary and the head of the next part behind each picture', async () => {
    const { capture, watch } = appParts();
    capture('first');
    const { answer, read } = await watch('/stream?camera=gate');
    expect(answer.headers.get('content-type')).toBe('multipart/x-mixed-replace; boundary=frame');
    const head = '--frame\r\nContent-Type: image/jpeg\r\n\r\n';
    expect([await read(), await read(), await read()]).toEqual([head, 'first', `\r\n${head}`]);
    capture('second');
    expect([await read(), await read()]).toEqual(['second', `\r\n${head}`]);
  });

  it('skips frames for a viewer who does not read', async () => {
    const { capture, watch } = appParts();
    const { read } = await watch('/stream?camera=gate');
    for (const text of ['a', 'b', 'c']) capture(text);
    expect(await read()).toMatch(/^--frame/);
    expect(await read()).toBe('c');
  });

  it('shows also a frame that memory has no place for', async () => {
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
    'of no camera, or of too many, is a bad request: %s',
    async (path) => expect((await appParts().app.request(path)).status).toBe(400),
  );

  it.each([
    ['/events?camera=none', 404],
    ['/stream?camera=none', 404],
    [`/events?camera=gate&url=${encodeURIComponent('http://elsewhere.test/')}`, 403],
    ['/events?url=', 400],
  ])('of what may not be seen is none: %s is %d', async (path, status) => {
    const { app, viewers } = appParts();
    expect((await app.request(path)).status).toBe(status);
    expect(viewers.isPresent(camera.cameraId)).toBe(false);
  });

  it.each(['/events?camera=gate', '/stream?camera=gate'])(
    'is not opened by HEAD, which tells the same head: %s',
    async (path) => {
      const { app, viewers, streams } = appParts(0);
      const answer = await app.request(path, { method: 'HEAD' });
      expect([answer.status, answer.body]).toEqual([200, null]);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect([viewers.isPresent(camera.cameraId), streams.count()]).toEqual([false, 0]);
    },
  );

  it('beyond the bound is 503, until another one is left', async () => {
    const { app, watch } = appParts(1);
    const { leave } = await watch('/stream?camera=gate');
    const refused = await app.request('/events?camera=gate');
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('2');
    await leave();
    expect((await app.request('/events?camera=gate')).status).toBe(200);
  });

  it('is left at once when its viewer goes', async () => {
    const { watch, viewers } = appParts();
    const { leave } = await watch('/events?camera=gate');
    expect(viewers.isPresent(camera.cameraId)).toBe(true);
    await leave();
    expect(viewers.isPresent(camera.cameraId)).toBe(false);
  });
});
