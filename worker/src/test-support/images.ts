import { readFileSync } from 'node:fs';

export type ImageKind = 'jpeg' | 'png' | 'gif' | 'webp' | 'avif';

/** Returns a real image of a few pixels of noise (the GIF is one white pixel). */
export function image(kind: ImageKind): Buffer {
  return readFileSync(new URL(`images/tiny.${kind}`, import.meta.url));
}

/** Returns a JPEG whose head holds a thumbnail with its own end marker, as in cameras' EXIF. */
export function jpegWithThumbnail(): Buffer {
  const picture = image('jpeg');
  const segment = Buffer.alloc(4);
  segment.writeUInt16BE(0xffe1, 0);
  segment.writeUInt16BE(picture.length + 2, 2);
  return Buffer.concat([picture.subarray(0, 2), segment, picture, picture.subarray(2)]);
}
