import type { Problem } from '@lastframe/shared/process/errors';

/**
 * `Proxy-Status` (RFC 9209): what went wrong on the way to the camera, for 502 and 504. Undefined
 * where nothing of the kind did.
 */
export function proxyStatus({ status, proxyError, receivedStatus }: Problem): string | undefined {
  const usual: Partial<Record<Problem['status'], string>> = {
    502: 'destination_unavailable',
    504: 'http_response_timeout',
    508: 'proxy_loop_detected',
  };
  const error = proxyError ?? usual[status];
  if (error === undefined) return undefined;
  const received = receivedStatus === undefined ? '' : `; received-status=${receivedStatus}`;
  return `lastframe; error=${error}${received}`;
}
