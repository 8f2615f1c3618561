/**
 * Durations, sizes and picture sizes as people write them. The form is strict: a misread `5` or
 * `-5s` would make a test measure something else.
 */

const MS_PER_UNIT = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const BYTES_PER_UNIT = { B: 1, KiB: 1024, MiB: 1024 ** 2 } as const;

export const DURATION_FORM = 'a duration like 500ms, 5s or 1m, at most 24h';
export const SIZE_FORM = 'a size like 900B, 500KiB or 2MiB, at most 64MiB';
export const PICTURE_SIZE_FORM = 'width x height in pixels like 640x360, each from 16 to 3840';

export interface PictureSize {
  width: number;
  height: number;
}

/** `'5s'` → 5000, `'0s'` → 0; undefined if malformed. */
export function parseDurationMs(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  const durationMs = Number(amount) * MS_PER_UNIT[unit as keyof typeof MS_PER_UNIT];
  return durationMs <= 24 * MS_PER_UNIT.h ? durationMs : undefined;
}

/** `'500KiB'` → 512000; undefined if malformed. */
export function parseSizeBytes(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,9})(B|KiB|MiB)$/.exec(text) ?? [];
  const sizeBytes = Number(amount) * BYTES_PER_UNIT[unit as keyof typeof BYTES_PER_UNIT];
  return sizeBytes <= 64 * BYTES_PER_UNIT.MiB ? sizeBytes : undefined;
}

/** `'64x36'` → `{ width: 64, height: 36 }`; undefined if malformed. */
export function parsePictureSize(text: string): PictureSize | undefined {
  const [, width, height] = /^(\d{2,4})x(\d{2,4})$/.exec(text) ?? [];
  const size = { width: Number(width), height: Number(height) };
  const inBounds = (pixels: number) => pixels >= 16 && pixels <= 3840;
  return inBounds(size.width) && inBounds(size.height) ? size : undefined;
}
