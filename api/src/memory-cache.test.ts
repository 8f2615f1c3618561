import { testCamera } from '@lastframe/shared/test-camera';
import { expect, it } from 'vitest';
import { createMemoryCache, makeAllUnsure } from './memory-cache.ts';
import { heldFrame } from './test-parts.ts';

/** What a frame of 1024 bytes takes: itself, itself with its head, and what else goes with it. */
const COST = 2 * 1024 + 4096;

const frameOf = (name: string, sizeBytes: number) =>
  heldFrame(testCamera(name), { text: 'x'.repeat(sizeBytes) });

it('holds as many bytes as it may, with what a frame costs beside them', () => {
  const memory = createMemoryCache(10 * COST);
  const frames = Array.from({ length: 12 }, (_, index) => frameOf(`${index}`, 1024));
  for (const frame of frames) memory.set(frame.cameraId, frame);
  expect(memory.size).toBe(10);
  expect(memory.calculatedSize).toBe(10 * COST);
  expect(memory.has(frames[0]?.cameraId ?? '')).toBe(false);
  expect(memory.has(frames[11]?.cameraId ?? '')).toBe(true);
});

it('lets go first what was asked for least recently', () => {
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

it('does not take a frame that is larger than all of it, and keeps the others', () => {
  const memory = createMemoryCache(8192);
  const small = frameOf('small', 100);
  const large = frameOf('large', 8192);
  memory.set(small.cameraId, small);
  memory.set(large.cameraId, large);
  expect([memory.has(small.cameraId), memory.has(large.cameraId)]).toEqual([true, false]);
});

it('can call all of its frames unsure', () => {
  const memory = createMemoryCache(1024 ** 2);
  for (const frame of [frameOf('a', 1), frameOf('b', 1)]) memory.set(frame.cameraId, frame);
  makeAllUnsure(memory);
  expect([...memory.values()].map(({ unsure }) => unsure)).toEqual([true, true]);
});
