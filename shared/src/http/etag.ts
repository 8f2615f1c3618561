import { createHash } from 'node:crypto';

/** Returns a strong ETag with its quotes. The same bytes have the same one on every pod. */
export function etagOf(bytes: Buffer): string {
  return `"sha256-${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`;
}

/** Returns whether a text has the form of `etagOf`. */
export function isEtag(text: string): boolean {
  return /^"sha256-[\da-f]{32}"$/.test(text);
}

/** Parses an ETag of `etagOf` as any tool shows it, with or without its quotes. */
export function parseEtag(text: string): string | undefined {
  const bare = text
    .trim()
    .replace(/^W\//, '')
    .replace(/^"(.*)"$/, '$1');
  const etag = `"${bare}"`;
  return isEtag(etag) ? etag : undefined;
}
