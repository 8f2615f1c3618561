import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib';

/** Decompresses a body while it arrives. */
export interface Decoder {
  write(piece: Buffer): void;
  /** The compressed body ends here. */
  end(): void;
  destroy(): void;
}

export interface DecoderEvents {
  onBytes(bytes: Buffer): void;
  onEnd(): void;
  onFault(): void;
}

// What was decompressed before a body broke off may already be a whole image.
const zlibOptions = { finishFlush: constants.Z_SYNC_FLUSH };
const CODINGS = [
  { name: /^(?:x-)?gzip$/, begins: (byte: number) => byte === 0x1f, create: createGunzip },
  { name: /^deflate$/, begins: (byte: number) => (byte & 0x0f) === 8, create: createInflate },
  { name: /^zstd$/, begins: (byte: number) => byte === 0x28, create: createZstd },
  // Without a signature: it must not begin like an image.
  {
    name: /^br$/,
    begins: (byte: number) => !FIRST_OF_IMAGES.has(byte),
    create: createBrotliDecompress,
  },
];
/** A larger window would take memory that no image needs. */
function createZstd() {
  return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: 23 } });
}

const FIRST_OF_IMAGES = new Set([0xff, 0x89, 0x47, 0x52, 0x42, 0x00]);

/**
 * Returns a decoder for a body that is really compressed as its Content-Encoding says. Cameras also
 * send words that mean nothing, such as `UTF-8`, with a plain image.
 * @param firstByte of the body
 */
export function decoderFor(
  contentEncoding: string | undefined,
  firstByte: number,
  events: DecoderEvents,
): Decoder | undefined {
  const name = contentEncoding?.trim().toLowerCase() ?? '';
  const coding = CODINGS.find((known) => known.name.test(name) && known.begins(firstByte));
  if (!coding) return undefined;
  const stream = coding.create(coding.create === createGunzip ? zlibOptions : {});
  stream.on('data', events.onBytes);
  stream.on('end', events.onEnd);
  stream.on('error', events.onFault);
  return {
    write: (piece) => void stream.write(piece),
    end: () => void stream.end(),
    destroy: () => void stream.destroy(),
  };
}
