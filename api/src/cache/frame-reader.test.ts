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

/** A frame as the store gives it. */
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
  const { clock, memory, purges } = testParts();
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
  });
  return { clock, memory, purges, run, reader };
}

describe('one read', () => {
  it('serves all who ask while it runs', async () => {
    const { run, reader } = readerParts();
    run.mockResolvedValue({ frame: storedFrame('a', 0) });
    const results = await Promise.all([reader.read(camera), reader.read(camera)]);
    expect(run).toHaveBeenCalledOnce();
    expect(results[0].held).toBe(results[1].held);
    await reader.read(camera);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('of one camera does not serve who asks for another', async () => {
    const { run, reader } = readerParts();
    run.mockResolvedValue({});
    await Promise.all([reader.read(camera), reader.read(testCamera('b'))]);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('that fails, fails for all who joined it, and for nobody after', async () => {
    const { run, reader } = readerParts();
    run.mockRejectedValueOnce(new RedisUnavailableError('away')).mockResolvedValueOnce({});
    const results = await Promise.allSettled([reader.read(camera), reader.read(camera)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(reader.read(camera)).resolves.toEqual({});
  });

  it('is told to each listener once, however many joined it', async () => {
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

  it('gives the failure that is remembered, beside the frame', async () => {
    const { run, reader } = readerParts();
    const failure = { status: 504, reason: 'late', nextMs: 900 } as const;
    run.mockResolvedValueOnce({ failure });
    expect(await reader.read(camera)).toEqual({ failure });
    run.mockResolvedValueOnce({ failure, frame: storedFrame('a', 0) });
    expect(await reader.read(camera)).toMatchObject({ failure, held: { cameraId } });
  });
});

describe('a read anew', () => {
  it('begins after the one that is running, and serves all who asked for it meanwhile', async () => {
    const { run, reader, memory } = readerParts();
    const first = Promise.withResolvers<Stored>();
    run.mockReturnValueOnce(first.promise);
    run.mockResolvedValueOnce({ frame: storedFrame('new', 0) });
    const running = reader.read(camera);
    const anew = [reader.readAnew(camera), reader.readAnew(camera)];
    expect(run).toHaveBeenCalledOnce();
    first.resolve({ frame: storedFrame('old', 5000) });
    await Promise.all([running, ...anew]);
    expect(run).toHaveBeenCalledTimes(2);
    expect(memory.peek(cameraId)?.bytes.toString()).toBe('new');
  });

  it('is not satisfied by another read anew that has begun before', async () => {
    const { run, reader } = readerParts();
    const reads = [1, 2, 3].map(() => Promise.withResolvers<Stored>());
    for (const { promise } of reads) run.mockReturnValueOnce(promise);
    const running = reader.read(camera);
    const second = reader.readAnew(camera);
    reads[0]?.resolve({});
    await running;
    await expect.poll(() => run).toHaveBeenCalledTimes(2);
    const third = reader.readAnew(camera); // news came after the second had begun
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
    const anew = reader.readAnew(camera);
    expect(await running).toBe('failed');
    expect(await anew).toEqual({});
    run.mockResolvedValueOnce({});
    const atOnce = reader.readAnew(camera);
    expect(run).toHaveBeenCalledTimes(3);
    expect(await atOnce).toEqual({});
  });
});

describe('the frame of the store', () => {
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
      lastAskedMonoMs: Number.NEGATIVE_INFINITY,
    });
  });

  it('replaces an older one, and keeps when that was asked for', async () => {
    const { run, reader, memory } = readerParts();
    memory.set(cameraId, heldFrame(camera, { startedAgoMs: 9000, lastAskedMonoMs: 42 }));
    run.mockResolvedValueOnce({ frame: storedFrame('b', 1000) });
    expect((await reader.read(camera)).held?.bytes.toString()).toBe('b');
    expect(memory.peek(cameraId)?.lastAskedMonoMs).toBe(42);
  });

  it('does not replace a younger one, which is sure again then', async () => {
    const { run, reader, memory } = readerParts();
    const held = heldFrame(camera, { startedAgoMs: 1000, mayBeOutdated: true });
    memory.set(cameraId, held);
    run.mockResolvedValueOnce({ frame: storedFrame('older', 9000) });
    expect((await reader.read(camera)).held).toBe(held);
    expect(memory.peek(cameraId)).toBe(held);
    expect(held).toMatchObject({ mayBeOutdated: false, bytes: Buffer.from('frame') });
  });

  it('with the same bytes only makes the one in memory younger', async () => {
    const { run, reader, memory, clock } = readerParts();
    const held = heldFrame(camera, { text: 'a', startedAgoMs: 9000, lastAskedMonoMs: 42 });
    const { bytes } = held;
    memory.set(cameraId, held);
    const { bytes: _, ...spared } = storedFrame('a', 1000);
    run.mockResolvedValueOnce({ frame: spared });
    await reader.read(camera);
    expect(memory.peek(cameraId)).toBe(held);
    expect(held.bytes).toBe(bytes);
    expect(held).toMatchObject({ startedMonoMs: clock.monoMs() - 1000, lastAskedMonoMs: 42 });
  });

  it('with the same bytes goes by the rules of now', async () => {
    const { run, reader, memory } = readerParts();
    memory.set(cameraId, heldFrame(camera, { text: 'a', startedAgoMs: 9000 }));
    const { bytes: _, ...spared } = storedFrame('a', 1000);
    run.mockResolvedValueOnce({ frame: spared });
    const sooner = testCamera('a', { intervalMs: 100 });
    expect((await reader.read(sooner)).held?.camera).toBe(sooner);
  });

  it('that memory has already grows no younger by a slow reply', async () => {
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
  ])('is taken although its clock was set %s by an hour', async (_, clockMs) => {
    const { run, reader } = readerParts();
    run.mockResolvedValueOnce({ frame: storedFrame('before', 0) });
    await reader.read(camera);
    vi.advanceTimersByTime(5000);
    run.mockResolvedValueOnce({ frame: storedFrame('after', 0, clockMs) });
    expect((await reader.read(camera)).held?.bytes.toString()).toBe('after');
  });

  it('is read once more with its bytes when memory let go of it meanwhile', async () => {
    const { run, reader, memory } = readerParts();
    memory.set(cameraId, heldFrame(camera, { text: 'a' }));
    const { bytes: _, ...spared } = storedFrame('a', 0);
    run.mockImplementationOnce(async () => {
      memory.delete(cameraId);
      return { frame: spared };
    });
    run.mockResolvedValueOnce({ frame: storedFrame('a', 0) });
    expect((await reader.read(camera)).held?.bytes.toString()).toBe('a');
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('is left alone without bytes when memory has another by now', async () => {
    const { run, reader, memory } = readerParts();
    const { bytes: _, ...spared } = storedFrame('a', 0);
    const held = heldFrame(camera, { text: 'b', startedAgoMs: 9000 });
    memory.set(cameraId, held);
    run.mockResolvedValueOnce({ frame: spared });
    expect(await reader.read(camera)).toEqual({ held });
  });

  it('is none when it is expired, though the store still has it', async () => {
    const { run, reader, memory } = readerParts();
    run.mockResolvedValueOnce({ frame: storedFrame('a', 60_001) });
    expect(await reader.read(camera)).toEqual({});
    expect(memory.size).toBe(0);
    run.mockResolvedValueOnce({ frame: storedFrame('a', 60_000) });
    expect(await reader.read(camera)).toMatchObject({ held: { cameraId } });
  });

  it('is given though it is too large for memory', async () => {
    const { clock, purges } = testParts();
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
    });
    expect(await reader.read(camera)).toMatchObject({ held: { cameraId } });
    expect(memory.size).toBe(0);
  });
});

describe('a camera that was purged', () => {
  const purgedAt = (frame: { startedAtMs: number }, mode: 'soft' | 'hard') => ({
    cameraId,
    mode,
    purgedAtMs: frame.startedAtMs,
  });

  it('hard gets no frame back from a read that was under way', async () => {
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

  it('hard gets a frame whose call began later', async () => {
    const { purges, run, reader } = readerParts();
    purges.apply(purgedAt(storedFrame('a', 100), 'hard'));
    run.mockResolvedValueOnce({ frame: storedFrame('b', 99) });
    expect(String((await reader.read(camera)).held?.bytes)).toBe('b');
  });

  it('soft has a frame that is stale, and a fresh one from the next call', async () => {
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
