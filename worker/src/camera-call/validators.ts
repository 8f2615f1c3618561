import type { Validators } from '@lastframe/shared/frames/frame-store';
import { MAX_DATE_LENGTH, unlessTooLong } from '@lastframe/shared/http/http-fields';
import type { Fields } from './header-fields.ts';

const MAX_LENGTH = 256;
/** Quoted or not, as the camera wrote it; but safe in a request header. */
const VISIBLE_ASCII = /^[\x20-\x7e]+$/;

/**
 * Returns the validators of a response for the next request. A `Last-Modified` counts if it is at
 * least a second before `Date` (RFC 9110 8.8.2.2): within the same second the image may change
 * again unnoticed.
 */
export function validatorsOf(headers: Fields): Validators | undefined {
  const etag = ifUsable(headers.etag);
  const lastModified = ifUsable(unlessTooLong(headers['last-modified'], MAX_DATE_LENGTH));
  const pastMs =
    Date.parse(unlessTooLong(headers.date, MAX_DATE_LENGTH) ?? '') - Date.parse(lastModified ?? '');
  const validators = {
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && pastMs >= 1000 && { lastModified }),
  };
  return Object.keys(validators).length === 0 ? undefined : validators;
}

/** Returns the headers that request an image only if it has changed. */
export function conditionalHeaders(validators: Validators | undefined): Record<string, string> {
  const { etag, lastModified } = validators ?? {};
  return {
    ...(etag !== undefined && { 'If-None-Match': etag }),
    ...(lastModified !== undefined && { 'If-Modified-Since': lastModified }),
  };
}

function ifUsable(value: string | undefined): string | undefined {
  return value !== undefined && value.length <= MAX_LENGTH && VISIBLE_ASCII.test(value)
    ? value
    : undefined;
}
