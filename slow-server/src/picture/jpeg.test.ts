import { loadImage } from '@napi-rs/canvas';
import { beforeAll, expect, it } from 'vitest';
import { loadFonts } from './fonts.ts';
import { firstHalf, padJpeg } from './jpeg.ts';
import { drawPicture } from './picture.ts';

let jpeg: Buffer;

beforeAll(async () => {
  loadFonts();
  const capture = { name: 'gate', atMs: 0, number: 1, cameraNumber: 1 };
  jpeg = await drawPicture(capture, { width: 64, height: 36 });
});

it.each([4, 5, 65_536, 65_537, 65_538, 131_074, 131_075, 1_000_003])(
  'pads a JPEG by exactly %i bytes, and it still decodes',
  async (missing) => {
    const padded = padJpeg(jpeg, jpeg.length + missing);
    const bytes = Buffer.concat(padded.parts);
    expect(bytes.length).toBe(jpeg.length + missing);
    expect(padded.sizeBytes).toBe(bytes.length);
    expect(await loadImage(bytes)).toMatchObject({ width: 64, height: 36 });
  },
);

it('does not change a JPEG that is already large enough', () => {
  expect(padJpeg(jpeg, 10)).toEqual({ parts: [jpeg], sizeBytes: jpeg.length });
});

it('pads to 64 MiB by repeating the same few bytes', () => {
  const { parts } = padJpeg(jpeg, 64 * 1024 ** 2);
  const distinct = new Set(
    parts.map(({ buffer, byteOffset }) => `${buffer.byteLength} ${byteOffset}`),
  );
  expect(distinct.size).toBeLessThanOrEqual(4);
});

it('has no end marker in the first half', () => {
  const half = firstHalf(padJpeg(jpeg));
  expect(half.length).toBe(Math.ceil(jpeg.length / 2));
  expect(Buffer.from(half).subarray(-2).toString('hex')).not.toBe('ffd9');
});
