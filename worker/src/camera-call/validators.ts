import type { IncomingHttpHeaders } from 'node:http';
import type { Validators } from '@lastframe/shared/frames/frame-store';
import { MAX_DATE_LENGTH, unlessTooLong } from '@lastframe/shared/http/http-fields';

const MAX_LENGTH = 256;
/** As the camera wrote it, quoted or not; but it goes into a header of ours. */
const VISIBLE = /^[\x20-\x7e]+$/;

/**
 * What a camera's answer says to ask with next time. A `Last-Modified` counts if it was a second
 * past when the answer was made (RFC 9110 8.8.2.2): within the same second the image may change
 * again, and a camera that draws each image anew would be told apart by the second only.
 */
export function validatorsOf(headers: IncomingHttpHeaders): Validators | undefined {
  const etag = usable(headers.etag);
  const lastModified = usable(unlessTooLong(headers['last-modified'], MAX_DATE_LENGTH));
  const pastMs =
    Date.parse(unlessTooLong(headers.date, MAX_DATE_LENGTH) ?? '') - Date.parse(lastModified ?? '');
  const validators = {
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && pastMs >= 1000 && { lastModified }),
  };
  return Object.keys(validators).length === 0 ? undefined : validators;
}

/** The headers that ask for an image only if it is another one. */
export function conditionalHeaders(validators: Validators | undefined): Record<string, string> {
  const { etag, lastModified } = validators ?? {};
  return {
    ...(etag !== undefined && { 'If-None-Match': etag }),
    ...(lastModified !== undefined && { 'If-Modified-Since': lastModified }),
  };
}

function usable(value: string | undefined): string | undefined {
  return value !== undefined && value.length <= MAX_LENGTH && VISIBLE.test(value)
    ? value
    : undefined;
}
