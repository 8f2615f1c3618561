import { describe, expect, it } from 'vitest';
import { parseDurationMs, parsePictureSize, parseSizeBytes } from './units.ts';

describe('durations', () => {
  it.each([
    ['0s', 0],
    ['500ms', 500],
    ['5s', 5000],
    ['1m', 60_000],
    ['24h', 86_400_000],
  ])('reads %s', (text, durationMs) => {
    expect(parseDurationMs(text)).toBe(durationMs);
  });

  it.each(['', '5', '-5s', '5 s', '1e3ms', '1.5s', '5S', '25h', '5s '])('refuses "%s"', (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
  });
});

describe('sizes', () => {
  it('reads bytes and their binary multiples', () => {
    expect(['900B', '500KiB', '64MiB'].map(parseSizeBytes)).toEqual([900, 512_000, 67_108_864]);
  });

  it.each(['', '500', '500KB', '-1B', '65MiB', '1.5MiB'])('refuses "%s"', (text) => {
    expect(parseSizeBytes(text)).toBeUndefined();
  });
});

describe('picture sizes', () => {
  it('reads width x height', () => {
    expect(parsePictureSize('64x36')).toEqual({ width: 64, height: 36 });
  });

  it.each(['', '64', '15x36', '64x3841', '64X36', '64x36x1'])('refuses "%s"', (text) => {
    expect(parsePictureSize(text)).toBeUndefined();
  });
});
