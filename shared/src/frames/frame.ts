import { freshTimeMs } from '../cameras/fresh-time.ts';
import type { Source } from '../cameras/source.ts';

/** One image captured from a camera. Times are milliseconds of the frames Redis's clock. */
export interface Frame {
  cameraId: string;
  bytes: Buffer;
  /** Sniffed from the bytes, never taken from the camera. */
  contentType: string;
  /** Strong, with its quotes: `"sha256-…"`. */
  etag: string;
  /** Start of the call, which decides when the frame is due again. */
  startedAtMs: number;
  /** Arrival of the last byte, which decides Age and ttl. */
  capturedAtMs: number;
  /** When the bytes last changed: Last-Modified. */
  changedAtMs: number;
  /** How long its worker expects no new picture, from the start of the call, in ms. */
  freshForMs?: number | undefined;
  /** In pixels as displayed; undefined if the bytes lack them. */
  dimensions?: Dimensions | undefined;
}

export interface Dimensions {
  width: number;
  height: number;
}

export type Freshness = 'fresh' | 'stale' | 'expired';

/** Returns `fresh` within the fresh time from the start, and `expired` after `staleForMs`. */
export function freshnessOf(
  startedAgoMs: number,
  source: Pick<Source, 'intervalMs' | 'maxIntervalMs' | 'staleForMs'>,
  freshForMs?: number,
): Freshness {
  if (startedAgoMs < freshTimeMs(source, freshForMs)) return 'fresh';
  return startedAgoMs <= source.staleForMs ? 'stale' : 'expired';
}

/** Every browser displays these, and none can contain scripts. */
const SERVED_TYPES = new Set([
  'image/jpeg',
  'image/png',
  'image/gif',
  'image/webp',
  'image/avif',
  'image/bmp',
]);

export function isServedType(contentType: string): boolean {
  return SERVED_TYPES.has(contentType);
}
