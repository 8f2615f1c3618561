import { readFileSync } from 'node:fs';

const KINDS = ['jpeg', 'png', 'gif', 'webp', 'avif', 'bmp'] as const;
export type ImageKind = (typeof KINDS)[number];

/** Real images of a few pixels, by file name. */
export const samples: Readonly<Record<string, { bytes: Buffer; contentType: string }>> =
  Object.fromEntries(
    [
      ...KINDS.map((kind) => `tiny.${kind}`),
      ...['cmyk.jpeg', 'grey.jpeg', 'motion.jpeg', 'progressive.jpeg'],
      ...['animated.png', 'indexed.png', 'animated.gif'],
      ...['alpha.webp', 'animated.webp', 'lossless.webp', 'alpha.avif'],
    ].map((name) => [
      name,
      { bytes: readSample(name), contentType: `image/${name.split('.')[1]}` },
    ]),
  );

function readSample(name: string): Buffer {
  return readFileSync(new URL(`images/${name}`, import.meta.url));
}

/** Returns a real image of a few pixels of noise (the GIF is one white pixel). */
export function image(kind: ImageKind): Buffer {
  return readSample(`tiny.${kind}`);
}

/** Returns an AVIF that is a video track of three frames. */
export function avifSequence(): Buffer {
  return readSample('sequence.avif');
}

/** Returns a JPEG whose head holds a thumbnail with its own end marker, as in cameras' EXIF. */
export function jpegWithThumbnail(): Buffer {
  const picture = image('jpeg');
  const segment = Buffer.alloc(4);
  segment.writeUInt16BE(0xffe1, 0);
  segment.writeUInt16BE(picture.length + 2, 2);
  return Buffer.concat([picture.subarray(0, 2), segment, picture, picture.subarray(2)]);
}
