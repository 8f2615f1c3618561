import { systemClock } from '@lastframe/shared/process/clock';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { isOwnLateness, measureLateness } from './lateness.ts';

afterEach(() => void vi.useRealTimers());

const pause = (ms: number) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

it('a blocked event loop is late by as long, at once and afterwards', async () => {
  const lateness = measureLateness(systemClock);
  onTestFinished(lateness.close);
  const lateMs = lateness.since();
  pause(300);
  expect(lateMs()).toBeGreaterThan(250);
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(lateMs()).toBeGreaterThan(250);
  expect(lateness.since()()).toBeLessThan(250);
});

it('an idle process is not late', async () => {
  vi.useFakeTimers();
  const lateness = measureLateness(systemClock);
  const lateMs = lateness.since();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(lateMs()).toBe(0);
  lateness.close();
  expect(vi.getTimerCount()).toBe(0);
});

it('half of the time that a camera had is too much', () => {
  expect(isOwnLateness(1999, 4000)).toBe(false);
  expect(isOwnLateness(2000, 4000)).toBe(true);
});
