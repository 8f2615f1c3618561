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
  /** In pixels as displayed; undefined if the bytes lack them. */
  dimensions?: Dimensions | undefined;
}

export interface Dimensions {
  width: number;
  height: number;
}

export type Freshness = 'fresh' | 'stale' | 'expired';

/** Returns `fresh` within one interval of the start, and `expired` after `staleForMs`. */
export function freshnessOf(
  startedAgoMs: number,
  limits: { intervalMs: number; staleForMs: number },
): Freshness {
  if (startedAgoMs < limits.intervalMs) return 'fresh';
  return startedAgoMs <= limits.staleForMs ? 'stale' : 'expired';
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
