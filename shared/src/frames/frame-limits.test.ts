import { describe, expect, it } from 'vitest';
import { testCamera } from '../../../testing/test-camera.ts';
import { frameLimitsOf, idleAfterMs } from './frame-limits.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const named = { ...testCamera('a'), name: 'gate' };

describe('a named camera', () => {
  it('keeps its frame for STALE_FOR, and may use most of the memory', () => {
    expect(frameLimitsOf(named)).toEqual({
      staleForMs: 24 * HOUR_MS,
      keepMs: 24 * HOUR_MS,
      keepHealthMs: 24 * HOUR_MS,
      firstLimit: 0.9,
      growthLimit: 0.9,
    });
  });
});

describe('an unnamed camera', () => {
  it('keeps its frame for minutes and leaves memory to named cameras', () => {
    expect(frameLimitsOf(testCamera('a'))).toEqual({
      staleForMs: 24 * HOUR_MS,
      keepMs: 10 * MINUTE_MS,
      keepHealthMs: 10 * MINUTE_MS,
      firstLimit: 0.7,
      growthLimit: 0.8,
    });
  });

  it('with a long interval keeps it until the call after the next', () => {
    const camera = testCamera('a', { intervalMs: HOUR_MS });
    expect(frameLimitsOf(camera).keepMs).toBe(2 * HOUR_MS + 19_000);
    expect(idleAfterMs(camera)).toBe(2 * HOUR_MS + 19_000);
  });

  it('keeps it while the camera requires a long wait', () => {
    expect(frameLimitsOf(testCamera('a'), HOUR_MS).keepMs).toBe(2 * HOUR_MS + 19_000);
  });

  it('never keeps it longer than STALE_FOR', () => {
    expect(frameLimitsOf(testCamera('a', { staleForMs: MINUTE_MS })).keepMs).toBe(MINUTE_MS);
  });

  it('is idle after two minutes', () => {
    expect(idleAfterMs(testCamera('a'))).toBe(2 * MINUTE_MS);
  });
});
