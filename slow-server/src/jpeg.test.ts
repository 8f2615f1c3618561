import { loadImage } from '@napi-rs/canvas';
import { beforeAll, expect, it } from 'vitest';
import { loadFonts } from './fonts.ts';
import { firstHalf, paddedJpeg } from './jpeg.ts';
import { drawPicture } from './picture.ts';

let jpeg: Buffer;

beforeAll(async () => {
  loadFonts();
  const capture = { name: 'gate', atMs: 0, number: 1, cameraNumber: 1 };
  jpeg = await drawPicture(capture, { width: 64, height: 36 });
});

it.each([4, 5, 65_536, 65_537, 65_538, 131_074, 131_075, 1_000_003])(
  'fills a JPEG up by %i bytes, to the byte, and it still decodes',
  async (missing) => {
    const padded = paddedJpeg(jpeg, jpeg.length + missing);
    const bytes = Buffer.concat(padded.parts);
    expect(bytes.length).toBe(jpeg.length + missing);
    expect(padded.sizeBytes).toBe(bytes.length);
    expect(await loadImage(bytes)).toMatchObject({ width: 64, height: 36 });
  },
);

it('leaves a JPEG alone that is as large already', () => {
  expect(paddedJpeg(jpeg, 10)).toEqual({ parts: [jpeg], sizeBytes: jpeg.length });
});

it('pads 64 MiB with the same few bytes again and again', () => {
  const { parts } = paddedJpeg(jpeg, 64 * 1024 ** 2);
  const distinct = new Set(
    parts.map(({ buffer, byteOffset }) => `${buffer.byteLength} ${byteOffset}`),
  );
  expect(distinct.size).toBeLessThanOrEqual(4);
});

it('has no end marker in the first half', () => {
  const half = firstHalf(paddedJpeg(jpeg));
  expect(half.length).toBe(Math.ceil(jpeg.length / 2));
  expect(Buffer.from(half).subarray(-2).toString('hex')).not.toBe('ffd9');
});
