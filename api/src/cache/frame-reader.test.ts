import type { StoredCamera } from '@lastframe/shared/frames/stored-camera';
import { RedisUnavailableError } from '@lastframe/shared/process/errors';
import { keysFor } from '@lastframe/shared/redis/keys';
import type { RedisLink } from '@lastframe/shared/redis/redis-link';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { heldFrame, testClock, testParts } from '../test-support/parts.ts';
import { createFrameReader } from './frame-reader.ts';
import { isFresh } from './held-frame.ts';
import { createMemoryCache } from './memory-cache.ts';

const camera = testCamera('a', { staleForMs: 60_000 });
const { cameraId } = camera;
const HOUR_MS = 3_600_000;
const isPresent = () => false;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Stored = Pick<StoredCamera, 'failure'> & {
  frame?: Omit<NonNullable<StoredCamera['frame']>, 'sizeBytes'>;
};

/** A frame as the store returns it. */
function storedFrame(text: string, startedAgoMs: number, clockMs = 0) {
  const { bytes, contentType, etag, startedAtMs, changedAtMs } = heldFrame(camera, { text });
  const times = { startedAtMs: startedAtMs - startedAgoMs + clockMs + testClock.monoMs() };
  return {
    cameraId,
    bytes,
    contentType,
    etag,
    changedAtMs,
    ...times,
    capturedAtMs: times.startedAtMs,
    startedAgoMs,
    capturedAgoMs: startedAgoMs,
  };
}

function readerParts() {
  const { clock, memory, purges, framesClock } = testParts();
  const run = vi.fn<() => Promise<Stored>>();
  const stored = async () => ({ nowMs: Number.MAX_SAFE_INTEGER, facts: {}, ...(await run()) });
  const frames = { run: stored as unknown as RedisLink['run'] };
  const reader = createFrameReader({
    clock,
    memory,
    isPresent,
    purges,
    frames,
    keys: keysFor('p'),
    framesClock,
  });
  return { clock, memory, purges, run, reader };
}

describe('one read', () => {
  it('serves all callers while it runs', async () => {
    const { run, reader } = readerParts();
    run.mockResolvedValue({ frame: storedFrame('a', 0) });
    const results = await Promise.all([reader.read(camera), reader.read(camera)]);
    expect(run).toHaveBeenCalledOnce();
    expect(results[0].held).toBe(results[1].held);
    await reader.read(camera);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('of one camera does not serve another camera', async () => {
    const { run, reader } = readerParts();
    run.mockResolvedValue({});
    await Promise.all([reader.read(camera), reader.read(testCamera('b'))]);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('that fails does so for all that joined it, and for no later caller', async () => {
    const { run, reader } = readerParts();
    run.mockRejectedValueOnce(new RedisUnavailableError('away')).mockResolvedValueOnce({});
    const results = await Promise.allSettled([reader.read(camera), reader.read(camera)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(reader.read(camera)).resolves.toEqual({});
  });

  it('notifies each listener once, however many joined it', async () => {
    const { run, reader } = readerParts();
    const listeners = [vi.fn(), vi.fn()];
    for (const listener of listeners) reader.onRead(listener);
    const stored = { frame: storedFrame('a', 0) };
    run.mockResolvedValue(stored);
    const [read] = await Promise.all([reader.read(camera), reader.read(camera)]);
    for (const listener of listeners) {
      expect(listener).toHaveBeenCalledExactlyOnceWith(
        camera,
        read,
        expect.objectContaining(stored),
      );
    }
  });

  it('returns the stored failure along with the frame', async () => {
    const { run, reader } = readerParts();
    const failure = { status: 504, reason: 'late', nextMs: 900 } as const;
    run.mockResolvedValueOnce({ failure });
    expect(await reader.read(camera)).toEqual({ failure });
    run.mockResolvedValueOnce({ failure, frame: storedFrame('a', 0) });
    expect(await reader.read(camera)).toMatchObject({ failure, held: { cameraId } });
  });
});

describe('a new read', () => {
  it('begins after the running one, and serves all that requested it meanwhile', async () => {
    const { run, reader, memory } = readerParts();
    const first = Promise.withResolvers<Stored>();
    run.mockReturnValueOnce(first.promise);
    run.mockResolvedValueOnce({ frame: storedFrame('new', 0) });
    const running = reader.read(camera);
    const newReads = [reader.readFromNow(camera), reader.readFromNow(camera)];
    expect(run).toHaveBeenCalledOnce();
    first.resolve({ frame: storedFrame('old', 5000) });
    await Promise.all([running, ...newReads]);
    expect(run).toHaveBeenCalledTimes(2);
    expect(memory.peek(cameraId)?.bytes.toString()).toBe('new');
  });

  it('does not join another new read that has already begun', async () => {
    const { run, reader } = readerParts();
    const reads = [1, 2, 3].map(() => Promise.withResolvers<Stored>());
    for (const { promise } of reads) run.mockReturnValueOnce(promise);
    const running = reader.read(camera);
    const second = reader.readFromNow(camera);
    reads[0]?.resolve({});
    await running;
    await expect.poll(() => run).toHaveBeenCalledTimes(2);
    const third = reader.readFromNow(camera); // an announcement came after the second had begun
    reads[1]?.resolve({});
    await second;
    await expect.poll(() => run).toHaveBeenCalledTimes(3);
    reads[2]?.resolve({ frame: storedFrame('third', 0) });
    expect((await third).held?.bytes.toString()).toBe('third');
  });

  it('begins at once when none is running, and after one that failed', async () => {
    const { run, reader } = readerParts();
    run.mockRejectedValueOnce(new Error('away')).mockResolvedValueOnce({});
    const running = reader.read(camera).catch(() => 'failed');
    const newRead = reader.readFromNow(camera);
    expect(await running).toBe('failed');
    expect(await newRead).toEqual({});
    run.mockResolvedValueOnce({});
    const atOnce = reader.readFromNow(camera);
    expect(run).toHaveBeenCalledTimes(3);
    expect(await atOnce).toEqual({});
  });
});

describe('a frame from the store', () => {
  it('is held with its times on the local clock', async () => {
    const { run, reader, memory, clock } = readerParts();
    vi.advanceTimersByTime(100_000);
    run.mockResolvedValueOnce({ frame: { ...storedFrame('a', 7000), capturedAgoMs: 2000 } });
    const { held } = await reader.read(camera);
    expect(held).toBe(memory.peek(cameraId));
    expect(held).toMatchObject({
      camera,
      startedMonoMs: clock.monoMs() - 7000,
      capturedMonoMs: clock.monoMs() - 2000,
      mayBeOutdated: false,
      lastRequestedMonoMs: Number.NEGATIVE_INFINITY,
    });
  });

  it('replaces an older one, and keeps the time of its last request', async () => {
    const { run, reader, memory } = readerParts();
    memory.set(cameraId, heldFrame(camera, { startedAgoMs: 9000, lastRequestedMonoMs: 42 }));
    run.mockResolvedValueOnce({ frame: storedFrame('b', 1000) });
    expect((await reader.read(camera)).held?.bytes.toString()).toBe('b');
    expect(memory.peek(cameraId)?.lastRequestedMonoMs).toBe(42);
  });

  it('does not replace a newer one, which is then known to be current', async () => {
    const { run, reader, memory } = readerParts();
    const held = heldFrame(camera, { startedAgoMs: 1000, mayBeOutdated: true });
    memory.set(cameraId, held);
    run.mockResolvedValueOnce({ frame: storedFrame('older', 9000) });
    expect((await reader.read(camera)).held).toBe(held);
    expect(memory.peek(cameraId)).toBe(held);
    expect(held).toMatchObject({ mayBeOutdated: false, bytes: Buffer.from('frame') });
  });

  it('with the same bytes only renews the one in memory', async () => {
    const { run, reader, memory, clock } = readerParts();
    const held = heldFrame(camera, { text: 'a', startedAgoMs: 9000, lastRequestedMonoMs: 42 });
    const { bytes } = held;
    memory.set(cameraId, held);
    const { bytes: _, ...withoutBytes } = storedFrame('a', 1000);
    run.mockResolvedValueOnce({ frame: withoutBytes });
    await reader.read(camera);
    expect(memory.peek(cameraId)).toBe(held);
    expect(held.bytes).toBe(bytes);
    expect(held).toMatchObject({ startedMonoMs: clock.monoMs() - 1000, lastRequestedMonoMs: 42 });
  });

  it('with the same bytes adopts the current rules', async () => {
    const { run, reader, memory } = readerParts();
    memory.set(cameraId, heldFrame(camera, { text: 'a', startedAgoMs: 9000 }));
    const { bytes: _, ...withoutBytes } = storedFrame('a', 1000);
    run.mockResolvedValueOnce({ frame: withoutBytes });
    const sooner = testCamera('a', { intervalMs: 100 });
    expect((await reader.read(sooner)).held?.camera).toBe(sooner);
  });

  it('that is already in memory gets no younger by a slow reply', async () => {
    const { run, reader, memory, clock } = readerParts();
    run.mockResolvedValue({ frame: storedFrame('a', 1000) });
    await reader.read(camera);
    const started = clock.monoMs() - 1000;
    vi.advanceTimersByTime(800);
    await reader.read(camera);
    expect(memory.peek(cameraId)?.startedMonoMs).toBe(started);
  });

  it('replaces one that a slow reply made look younger than it was', async () => {
    const { run, reader } = readerParts();
    const older = storedFrame('older', 600);
    vi.advanceTimersByTime(900); // the reply took so long
    run.mockResolvedValueOnce({ frame: older });
    await reader.read(camera);
    run.mockResolvedValueOnce({ frame: storedFrame('newer', 800) });
    expect((await reader.read(camera)).held?.bytes.toString()).toBe('newer');
  });

  it.each([
    ['back', -HOUR_MS],
    ['forward', HOUR_MS],
  ])('is used although the clock was set %s by an hour', async (_, clockMs) => {
    const { run, reader } = readerParts();
    run.mockResolvedValueOnce({ frame: storedFrame('before', 0) });
    await reader.read(camera);
    vi.advanceTimersByTime(5000);
    run.mockResolvedValueOnce({ frame: storedFrame('after', 0, clockMs) });
    expect((await reader.read(camera)).held?.bytes.toString()).toBe('after');
  });

  it('is read again with its bytes when memory evicted it meanwhile', async () => {
    const { run, reader, memory } = readerParts();
    memory.set(cameraId, heldFrame(camera, { text: 'a' }));
    const { bytes: _, ...withoutBytes } = storedFrame('a', 0);
    run.mockImplementationOnce(async () => {
      memory.delete(cameraId);
      return { frame: withoutBytes };
    });
    run.mockResolvedValueOnce({ frame: storedFrame('a', 0) });
    expect((await reader.read(camera)).held?.bytes.toString()).toBe('a');
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('without bytes is ignored when memory has another by now', async () => {
    const { run, reader, memory } = readerParts();
    const { bytes: _, ...withoutBytes } = storedFrame('a', 0);
    const held = heldFrame(camera, { text: 'b', startedAgoMs: 9000 });
    memory.set(cameraId, held);
    run.mockResolvedValueOnce({ frame: withoutBytes });
    expect(await reader.read(camera)).toEqual({ held });
  });

  it('is ignored when expired, although the store still has it', async () => {
    const { run, reader, memory } = readerParts();
    run.mockResolvedValueOnce({ frame: storedFrame('a', 60_001) });
    expect(await reader.read(camera)).toEqual({});
    expect(memory.size).toBe(0);
    run.mockResolvedValueOnce({ frame: storedFrame('a', 60_000) });
    expect(await reader.read(camera)).toMatchObject({ held: { cameraId } });
  });

  it('is returned even if it is too large for memory', async () => {
    const { clock, purges, framesClock } = testParts();
    const memory = createMemoryCache(100);
    const run = async () => ({ frame: storedFrame('a', 0) });
    const frames = { run: run as unknown as RedisLink['run'] };
    const reader = createFrameReader({
      clock,
      memory,
      isPresent,
      purges,
      frames,
      keys: keysFor('p'),
      framesClock,
    });
    expect(await reader.read(camera)).toMatchObject({ held: { cameraId } });
    expect(memory.size).toBe(0);
  });
});

describe('after a purge', () => {
  const purgedAt = (frame: { startedAtMs: number }, mode: 'soft' | 'hard') => ({
    cameraId,
    mode,
    purgedAtMs: frame.startedAtMs,
  });

  it('a hard one keeps a read under way from bringing the frame back', async () => {
    const { memory, purges, run, reader } = readerParts();
    const frame = storedFrame('a', 100);
    const { promise, resolve } = Promise.withResolvers<Stored>();
    run.mockReturnValueOnce(promise);
    const reading = reader.read(camera);
    purges.apply(purgedAt(frame, 'hard'));
    resolve({ frame });
    expect(await reading).toEqual({});
    expect(memory.size).toBe(0);
  });

  it('a hard one lets through a frame whose call began later', async () => {
    const { purges, run, reader } = readerParts();
    purges.apply(purgedAt(storedFrame('a', 100), 'hard'));
    run.mockResolvedValueOnce({ frame: storedFrame('b', 99) });
    expect(String((await reader.read(camera)).held?.bytes)).toBe('b');
  });

  it('a soft one leaves a stale frame, and the next call a fresh one', async () => {
    const { clock, purges, run, reader } = readerParts();
    const frame = storedFrame('a', 100);
    purges.apply(purgedAt(frame, 'soft'));
    run.mockResolvedValueOnce({ frame });
    const { held } = await reader.read(camera);
    expect(held && isFresh(held, clock.monoMs())).toBe(false);
    expect(held?.capturedMonoMs).toBe(clock.monoMs() - 100);
    run.mockResolvedValueOnce({ frame: storedFrame('b', 50) });
    const next = (await reader.read(camera)).held;
    expect(next && isFresh(next, clock.monoMs())).toBe(true);
  });
});
