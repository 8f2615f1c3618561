import { createCanvas, GlobalFonts, loadImage } from '@napi-rs/canvas';
import { beforeAll, describe, expect, it } from 'vitest';
import { paintScene } from '../scenes/scene.ts';
import { loadFonts } from './fonts.ts';
import { drawPicture } from './picture.ts';
import { type PictureStyle, styleOf } from './style.ts';

const capture = { name: 'north runway', atMs: 1_770_000_000_000, number: 7, cameraNumber: 3 };

beforeAll(loadFonts);

describe('a picture', () => {
  it('is a JPEG of 1280 x 720 unless another size is requested', async () => {
    const bytes = await drawPicture(capture);
    expect(bytes.subarray(0, 3).toString('hex')).toBe('ffd8ff');
    expect(bytes.subarray(-2).toString('hex')).toBe('ffd9');
    expect(await loadImage(bytes)).toMatchObject({ width: 1280, height: 720 });
  });

  it.each([
    [16, 16],
    [64, 36],
    [200, 3840],
    [3840, 16],
  ])('can be %i x %i', async (width, height) => {
    expect(await loadImage(await drawPicture(capture, { width, height }))).toMatchObject({
      width,
      height,
    });
  });

  it('has the same bytes for the same capture', async () => {
    expect(await drawPicture(capture)).toEqual(await drawPicture(capture));
  });

  it.each([
    { width: 1280, height: 720 },
    { width: 64, height: 36 },
  ])(
    'differs a tenth of a second later, for another call, and for another name ($width wide)',
    async (size) => {
      const picture = await drawPicture(capture, size);
      const changes = [{ atMs: capture.atMs + 100 }, { number: 8 }, { name: 'south runway' }];
      for (const change of changes) {
        expect(await drawPicture({ ...capture, ...change }, size)).not.toEqual(picture);
      }
    },
  );

  it('uses its own fonts', () => {
    expect(GlobalFonts.has('Slow Sans') && GlobalFonts.has('Slow Mono')).toBe(true);
  });
});

describe('the style of a camera', () => {
  const names = Array.from({ length: 60 }, (_, i) => `cam-${i}`);

  it('has every kind of scene and many colours among a few dozen names', () => {
    const styles = names.map(styleOf);
    expect(new Set(styles.map((style) => style.kind)).size).toBe(4);
    expect(new Set(styles.map((style) => JSON.stringify(style.mood))).size).toBeGreaterThan(50);
    expect(new Set(styles.map((style) => style.accent)).size).toBeGreaterThan(40);
  });

  it.each<[string, PictureStyle['kind']]>([
    ['north runway', 'airfield'],
    ['Harbour', 'coast'],
    ['Summit hut', 'mountains'],
    ['Old town', 'city'],
  ])('fits the name: %s', (name, kind) => {
    expect(styleOf(name).kind).toBe(kind);
  });

  it('moves over time', () => {
    const pixels = (timeS: number) => {
      const context = createCanvas(320, 180).getContext('2d');
      paintScene({ context, width: 320, height: 180, style: styleOf('Harbour'), timeS });
      return Buffer.from(context.getImageData(0, 0, 320, 180).data);
    };
    expect(pixels(1000).equals(pixels(1000))).toBe(true);
    expect(pixels(1000).equals(pixels(1005))).toBe(false);
  });
});
