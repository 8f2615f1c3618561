import { describe, expect, it } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { heldFrame, testClock } from '../test-support/parts.ts';
import { createMemoryCache, keepFrame, markAllPossiblyOutdated } from './memory-cache.ts';

/** The cost of a 1024-byte frame: its bytes, a copy joined with its head, and the overhead. */
const COST = 2 * 1024 + 4096;

const frameOf = (name: string, sizeBytes: number) =>
  heldFrame(testCamera(name), { text: 'x'.repeat(sizeBytes) });

it('holds frames up to its limit in bytes, including their overhead', () => {
  const memory = createMemoryCache(10 * COST);
  const frames = Array.from({ length: 12 }, (_, index) => frameOf(`${index}`, 1024));
  for (const frame of frames) memory.set(frame.cameraId, frame);
  expect(memory.size).toBe(10);
  expect(memory.calculatedSize).toBe(10 * COST);
  expect(memory.has(frames[0]?.cameraId ?? '')).toBe(false);
  expect(memory.has(frames[11]?.cameraId ?? '')).toBe(true);
});

it('evicts the least recently requested frame first', () => {
  const memory = createMemoryCache(3 * COST);
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => frameOf(name, 1024)) as [
    ReturnType<typeof frameOf>,
    ...ReturnType<typeof frameOf>[],
  ];
  for (const frame of [a, b, c]) if (frame) memory.set(frame.cameraId, frame);
  memory.get(a.cameraId);
  if (d) memory.set(d.cameraId, d);
  expect([a, b, c, d].map((frame) => memory.has(frame?.cameraId ?? ''))).toEqual([
    true,
    false,
    true,
    true,
  ]);
});

it('rejects a frame larger than the whole cache, and keeps the others', () => {
  const memory = createMemoryCache(8192);
  const small = frameOf('small', 100);
  const large = frameOf('large', 8192);
  memory.set(small.cameraId, small);
  memory.set(large.cameraId, large);
  expect([memory.has(small.cameraId), memory.has(large.cameraId)]).toEqual([true, false]);
});

it('marks all of its frames as possibly outdated', () => {
  const memory = createMemoryCache(1024 ** 2);
  for (const frame of [frameOf('a', 1), frameOf('b', 1)]) memory.set(frame.cameraId, frame);
  markAllPossiblyOutdated(memory);
  expect([...memory.values()].map(({ mayBeOutdated }) => mayBeOutdated)).toEqual([true, true]);
});

describe('a frame that arrives when memory is full', () => {
  const named = (name: string) => ({ ...testCamera(name), name });
  const ago = (ms: number) => ({ lastRequestedMonoMs: testClock.monoMs() - ms });
  const MINUTE_AGO = ago(60_000);
  const JUST_NOW = ago(1000);

  /** A full cache of two frames; the `present` cameras have an open stream. */
  function fullMemory(frames: ReturnType<typeof heldFrame>[], present: string[] = []) {
    const memory = createMemoryCache(2 * COST);
    for (const frame of frames) memory.set(frame.cameraId, frame);
    const isPresent = (cameraId: string) =>
      present.some((name) => testCamera(name).cameraId === cameraId);
    const keep = (frame: ReturnType<typeof heldFrame>) =>
      keepFrame(frame, { memory, clock: testClock, isPresent });
    const has = (...names: string[]) => names.map((name) => memory.has(testCamera(name).cameraId));
    return { memory, keep, has };
  }
  const unnamedFrame = (name: string, over = MINUTE_AGO, size = 1024) =>
    heldFrame(testCamera(name), { text: 'x'.repeat(size), ...over });
  const namedFrame = (name: string, over = MINUTE_AGO) =>
    heldFrame(named(name), { text: 'x'.repeat(1024), ...over });

  it('evicts an unwatched unnamed one, the least recently requested first', () => {
    const { keep, has } = fullMemory([unnamedFrame('a'), unnamedFrame('b')]);
    keep(unnamedFrame('new'));
    expect(has('a', 'b', 'new')).toEqual([false, true, true]);
  });

  it.each([
    ['is named', [namedFrame('a'), namedFrame('b')], []],
    ['was requested in the last seconds', ['a', 'b'].map((n) => unnamedFrame(n, JUST_NOW)), []],
    ['is shown by a stream', [unnamedFrame('a'), unnamedFrame('b')], ['a', 'b']],
  ])('does not evict one that %s', (_, frames, present) => {
    const { keep, has } = fullMemory(frames, present);
    for (let n = 0; n < 10; n += 1) keep(unnamedFrame(`new-${n}`));
    expect(has('a', 'b', 'new-9')).toEqual([true, true, false]);
  });

  it('evicts nothing when that would not make enough room', () => {
    const { keep, has } = fullMemory([unnamedFrame('a'), namedFrame('b')]);
    keep(unnamedFrame('large', MINUTE_AGO, 20_000));
    expect(has('a', 'b', 'large')).toEqual([true, true, false]);
  });

  it('of a named camera evicts unnamed ones, watched or not, unwatched ones first', () => {
    const { keep, has } = fullMemory([unnamedFrame('a', JUST_NOW), unnamedFrame('b')]);
    keep(namedFrame('one'));
    expect(has('a', 'b', 'one')).toEqual([true, false, true]);
    keep(namedFrame('two'));
    expect(has('a', 'one', 'two')).toEqual([false, true, true]);
    keep(namedFrame('three'));
    expect(has('one', 'two', 'three')).toEqual([false, true, true]);
  });

  it('of a watched camera replaces its previous one even if it is larger', () => {
    const { keep, has } = fullMemory([unnamedFrame('b', JUST_NOW), unnamedFrame('a', JUST_NOW)]);
    keep(unnamedFrame('a', JUST_NOW, 1100));
    expect(has('a', 'b')).toEqual([true, false]);
  });

  it('of an unwatched camera does not replace a smaller one without room', () => {
    const { keep, has } = fullMemory([unnamedFrame('b', JUST_NOW), unnamedFrame('a')]);
    keep(unnamedFrame('a', MINUTE_AGO, 1100));
    expect(has('a', 'b')).toEqual([false, true]);
  });
});
