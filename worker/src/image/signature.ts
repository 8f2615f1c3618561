import { brandsOf, scanAvif } from './avif-scan.ts';
import { isBmpHead, scanBmp } from './bmp-scan.ts';
import { scanGif } from './gif-scan.ts';
import { scanJpeg } from './jpeg-scan.ts';
import { scanPng } from './png-scan.ts';
import type { FormatScan, ScanInput } from './scan-input.ts';
import { scanWebp } from './webp-scan.ts';

export interface ImageFormat {
  /** As in "the camera sent a …". */
  name: string;
  contentType: string;
  scan(input: ScanInput): FormatScan;
}

const FORMATS: readonly (ImageFormat & { signature: RegExp; matches?(head: Buffer): boolean })[] = [
  { name: 'a JPEG', contentType: 'image/jpeg', scan: scanJpeg, signature: /^\xff\xd8\xff/ },
  // Animated ones too: that is what servers send them as.
  { name: 'a PNG', contentType: 'image/png', scan: scanPng, signature: /^\x89PNG\r\n\x1a\n/ },
  { name: 'a GIF', contentType: 'image/gif', scan: scanGif, signature: /^GIF8[79]a/ },
  {
    name: 'a WebP',
    contentType: 'image/webp',
    scan: scanWebp,
    signature: /^RIFF.{4}WEBPVP8[ LX]/s,
  },
  {
    name: 'an AVIF',
    contentType: 'image/avif',
    scan: scanAvif,
    signature: /^.{4}ftyp.{8}/s,
    matches: claimsAv1,
  },
  {
    name: 'a BMP',
    contentType: 'image/bmp',
    scan: scanBmp,
    signature: /^BM.{16}/s,
    matches: isBmpHead,
  },
];

/** Returns the format of a file that begins like this. */
export function formatOf(head: Buffer): ImageFormat | undefined {
  const text = head.toString('latin1');
  return FORMATS.find(
    ({ signature, matches }) => signature.test(text) && (matches === undefined || matches(head)),
  );
}

/** Other files have the same structure: HEIC, which only Safari shows, and videos. */
function claimsAv1(head: Buffer): boolean {
  const brands = brandsOf(head.subarray(0, Math.max(16, head.readUInt32BE(0))));
  return brands.includes('avif') || brands.includes('avis');
}
