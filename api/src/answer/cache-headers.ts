/** Where a frame was found, for `Cache-Status` (RFC 9211). */
export type Origin = 'memory' | 'redis' | 'stored' | 'collapsed';

export interface CacheTimes {
  /** Since its last byte. */
  capturedAgoMs: number;
  changedAtMs: number;
  etag: string;
  intervalMs: number;
  staleForMs: number;
}

/** The headers that say how old a frame is and how long it is good (RFC 9110, 9111, 5861, 9211). */
export function cacheHeaders(times: CacheTimes, origin: Origin): Record<string, string> {
  const maxAgeS = Math.floor(times.intervalMs / 1000);
  const ageS = Math.floor(Math.max(0, times.capturedAgoMs) / 1000);
  const staleIfErrorS = Math.floor(times.staleForMs / 1000);
  return {
    'Cache-Control': `public, max-age=${maxAgeS}, stale-while-revalidate=${maxAgeS}, stale-if-error=${staleIfErrorS}`,
    Age: String(ageS),
    ETag: times.etag,
    'Last-Modified': new Date(times.changedAtMs).toUTCString(),
    'Cache-Status': cacheStatus(origin, maxAgeS - ageS),
  };
}

/** A stale frame that is served at once is a hit too; only who waited for the camera missed. */
function cacheStatus(origin: Origin, ttlS: number): string {
  if (origin === 'stored') return 'lastframe; fwd=uri-miss; stored';
  if (origin === 'collapsed') return 'lastframe; fwd=uri-miss; collapsed';
  return `lastframe; hit; ttl=${ttlS}; detail=${origin}`;
}
