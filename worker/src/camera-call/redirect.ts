import { type Camera, parseCameraUrl } from '@lastframe/shared/cameras/camera';
import { escapeByte } from '@lastframe/shared/cameras/percent-encoding';
import { findCameraByUrl, findSource, type Rules } from '@lastframe/shared/cameras/rules';
import type { Source } from '@lastframe/shared/cameras/source';
import { badResponse, type CaptureFailure, type Redirect } from './response/read-result.ts';

/** Where a camera's next call goes instead of its own URL. */
export interface RedirectTarget {
  /** Canonical. */
  url: string;
  /** Redirects in a row that led here. */
  hops: number;
  /** Whether the target is used for a day, and not only once. */
  isPermanent: boolean;
}

const MAX_HOPS = 5;

/**
 * Returns the target of a redirect, or a failure that names it. The target is checked like a
 * viewer's URL: it must match a source. Its address is checked when it is called.
 * @param from the target that was called, if it was not the camera's own URL
 */
export function redirectTargetOf(
  { statusCode, location }: Redirect,
  camera: Camera,
  from: RedirectTarget | undefined,
  rules: Rules,
): RedirectTarget | CaptureFailure {
  const calledUrl = from?.url ?? camera.url;
  const hops = (from?.hops ?? 0) + 1;
  const url = parseTarget(location, calledUrl);
  const fail = (why: string) => {
    const target = url ? ` to ${targetName(url, camera)}` : '';
    const reason = `the camera responded with ${statusCode}, a redirect${target}; ${why}`;
    return badResponse(reason, 'destination_unavailable', { receivedStatus: statusCode });
  };
  if (!url) return fail('its Location is not a valid http:// or https:// URL');
  if (!isAllowed(url, camera)) {
    return fail('redirects: same-host, or a list of patterns, for its source would allow that');
  }
  if (!findSource(url.href, rules.sources)) return fail('no source allows this target');
  if (url.href === calledUrl || url.href === camera.url) return fail('that is the same URL');
  if (hops > MAX_HOPS) return fail(`there were more than ${MAX_HOPS} in a row`);
  return { url: url.href, hops, isPermanent: isMove(statusCode, url, calledUrl) };
}

function parseTarget(location: string, base: string): URL | undefined {
  try {
    // A header has one character per byte; a browser reads other bytes than ASCII as they are.
    const ascii = location.replace(/[\x80-\xff]/g, escapeByte);
    return parseCameraUrl(new URL(ascii, base).href);
  } catch {
    return undefined;
  }
}

function isAllowed(url: URL, { url: own, source: { redirects } }: Camera): boolean {
  if (redirects === 'none') return false;
  if (redirects === 'same-host') return url.hostname === new URL(own).hostname;
  return redirects.some((pattern) => pattern.test(url.href));
}

/**
 * Returns whether a camera has moved, for example to https. Some answer every request with a
 * permanent redirect to their latest file, which must not be remembered.
 */
function isMove(statusCode: number, { pathname, search }: URL, from: string): boolean {
  const before = new URL(from);
  const isSameTarget = pathname === before.pathname && search === before.search;
  return isSameTarget && (statusCode === 301 || statusCode === 308);
}

/** Announcements have room for no more. */
const MAX_NAME_LENGTH = 300;

/** Names a target for people: without its query, and without any host for a named camera. */
function targetName(url: URL, { name, url: own }: Camera): string {
  if (name === undefined) return shorten(url.origin + url.pathname);
  const { hostname, protocol } = new URL(own);
  if (url.hostname !== hostname) return 'another host';
  return url.protocol === protocol ? 'another URL of its host' : `${url.protocol}// on its host`;
}

function shorten(text: string): string {
  return text.length <= MAX_NAME_LENGTH ? text : `${text.slice(0, MAX_NAME_LENGTH)}…`;
}

/**
 * Returns a redirect's target as a camera, which has its own permit; undefined if it is no longer
 * allowed. It is called under the limits of both sources. Credentials of the camera's own source are
 * not carried to another origin.
 */
export function targetCamera(
  camera: Camera,
  { url }: RedirectTarget,
  rules: Rules,
): Camera | undefined {
  const parsed = parseTarget(url, camera.url);
  const source = findSource(url, rules.sources);
  if (!source || parsed?.href !== url || !isAllowed(parsed, camera)) return undefined;
  const isForeign = new URL(url).origin !== new URL(camera.url).origin;
  const own = isForeign && source.name === camera.source.name ? withoutCredentials(source) : source;
  const { timeoutMs, startAllowanceMs, maxFrameBytes, acceptTruncated } = camera.source;
  return {
    ...camera,
    // Whatever the query is that its source ignores: otherwise, one image would have many permits.
    cameraId: findCameraByUrl(url, rules).cameraId,
    url,
    source: {
      ...own,
      timeoutMs: Math.min(timeoutMs, source.timeoutMs),
      startAllowanceMs: Math.min(startAllowanceMs, source.startAllowanceMs),
      maxFrameBytes,
      acceptTruncated,
    },
  };
}

function withoutCredentials({ auth, ...source }: Source): Source {
  return { ...source, headers: {} };
}
