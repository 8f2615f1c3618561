import { createHash } from 'node:crypto';

/** One image captured from a camera. Times are milliseconds of the frames Redis's clock. */
export interface Frame {
  cameraId: string;
  bytes: Buffer;
  /** Sniffed from the bytes, never taken from the camera. */
  contentType: string;
  /** Strong, with its quotes: `"sha256-…"`. */
  etag: string;
  /** Start of the call: decides when the frame is due again. */
  startedAtMs: number;
  /** Its last byte: decides Age and ttl. */
  capturedAtMs: number;
  /** When the bytes last differed: Last-Modified. */
  changedAtMs: number;
  /** In pixels as they are shown; undefined where the bytes don't tell. */
  dimensions?: Dimensions | undefined;
}

export interface Dimensions {
  width: number;
  height: number;
}

export type Freshness = 'fresh' | 'stale' | 'expired';

/** Fresh within one interval of its start; expired, that is gone, when older than `staleForMs`. */
export function freshnessOf(
  startedAgoMs: number,
  limits: { intervalMs: number; staleForMs: number },
): Freshness {
  if (startedAgoMs < limits.intervalMs) return 'fresh';
  return startedAgoMs <= limits.staleForMs ? 'stale' : 'expired';
}

/** Every browser shows these, and none of them can hold script. */
const SERVED_TYPES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif']);

export function isServedType(contentType: string): boolean {
  return SERVED_TYPES.has(contentType);
}

/** The same bytes have the same ETag on every pod. */
export function etagOf(bytes: Buffer): string {
  return `"sha256-${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`;
}

/** Whether it could be one of `etagOf`. */
export function isEtag(text: string): boolean {
  return /^"sha256-[\da-f]{32}"$/.test(text);
}
