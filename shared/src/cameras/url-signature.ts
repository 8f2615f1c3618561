import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Returns the `sig` of a `url=`: base64url HMAC-SHA-256 of the URL as written (percent-decoded
 * once), a newline, and `exp` in Unix seconds or nothing.
 */
export function signatureOf(url: string, exp: string, key: string): string {
  return createHmac('sha256', key).update(`${url}\n${exp}`).digest('base64url');
}

/** Compares in constant time, so that timing reveals nothing about the right signature. */
export function isSignature(given: string, url: string, exp: string, key: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(signatureOf(url, exp, key))];
  return a.length === b.length && timingSafeEqual(a, b);
}
