import { invalidUrl } from '@lastframe/shared/process/errors';

/**
 * Rejects a `url` that was copied from an image of this Lastframe, and would only lead back here.
 * Other fleets may be called, and a loop under another name is found by `Via`.
 * @param host the `Host` of the request
 * @throws ProblemError 400
 */
export function rejectOwnUrl(text: string, host: string | undefined): void {
  if (host === undefined || !URL.canParse(text)) return;
  const url = new URL(text);
  const here = `${url.protocol}//${host}`;
  const isHere = URL.canParse(here) && new URL(here).host === url.host;
  if (!isHere || !url.pathname.endsWith('/images') || !url.searchParams.has('url')) return;
  const detail =
    'url is a URL of this Lastframe; request it as it is, or give the URL of the camera that it has in its own url=';
  throw invalidUrl(detail);
}
