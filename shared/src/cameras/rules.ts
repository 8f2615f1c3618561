import { ProblemError } from '../process/errors.ts';
import { withoutCacheBusters } from './cache-busters.ts';
import { type Camera, cameraOf, parseCameraUrl } from './camera.ts';
import type { Source } from './source.ts';

/** A camera that viewers know only by its name, never by its URL. */
export interface NamedCamera {
  name: string;
  title: string;
  /** Refreshed every interval, even without demand. */
  keepWarm: boolean;
  camera: Camera;
}

/** What the operator allows. Replaced as a whole when `SOURCES_FILE` changes. */
export interface Rules {
  sources: readonly Source[];
  cameras: ReadonlyMap<string, NamedCamera>;
  /** The named cameras by cameraId. */
  namedById: ReadonlyMap<string, Camera>;
}

/** Returns the current rules. Called for each request and job; the result is never kept. */
export type RulesNow = () => Rules;

export function makeRules(sources: readonly Source[], cameras: Iterable<NamedCamera> = []): Rules {
  const all = [...cameras];
  return {
    sources,
    cameras: new Map(all.map((named) => [named.name, named])),
    // If two names share a URL, the first wins: a camera has one job, and so one name.
    namedById: new Map(all.toReversed().map(({ camera }) => [camera.cameraId, camera])),
  };
}

/** Returns the source of a normalised URL: the first one that matches. */
export function findSource(href: string, sources: readonly Source[]): Source | undefined {
  return sources.find(({ pattern }) => pattern.test(href));
}

/**
 * Returns the camera for a viewer's `url`. The first matching source wins.
 * @throws ProblemError 400 for a bad URL, 403 if no source matches
 */
export function findCamera(text: string, sources: readonly Source[]): Camera {
  const { plain, asWritten } = readingsOf(text, sources);
  return orNotAllowed(plain ?? asWritten);
}

/**
 * Returns the camera for a `url` of the operator, who put every parameter there on purpose.
 * @throws ProblemError 400 for a bad URL, 403 if no source matches
 */
export function findCameraAsWritten(text: string, sources: readonly Source[]): Camera {
  return orNotAllowed(readingsOf(text, sources).asWritten);
}

/**
 * Returns the camera for a viewer's `url`. The URL of a named camera leads to that camera, so that
 * no job contains the URL.
 * @throws ProblemError 400 for a bad URL, 403 if no source matches
 */
export function findCameraByUrl(text: string, { sources, namedById }: Rules): Camera {
  const { plain, asWritten } = readingsOf(text, sources);
  const named = (camera: Camera | undefined) => camera && namedById.get(camera.cameraId);
  return named(asWritten) ?? named(plain) ?? orNotAllowed(plain ?? asWritten);
}

/** What a `url` may mean. */
interface Readings {
  asWritten?: Camera | undefined;
  /** Without its cache-busters. Undefined if it has none, or if they belong to it. */
  plain?: Camera | undefined;
}

/**
 * A worker reads the URL that results once more, and must find the same camera. So cache-busters
 * belong to a URL unless a source that strips them allows the plain URL, too: under a pattern such
 * as `…?t=*` they stay.
 */
function readingsOf(text: string, sources: readonly Source[]): Readings {
  const url = parseCameraUrl(text);
  const source = findSource(url.href, sources);
  const asWritten = source && cameraOf(url, source);
  const plainUrl = new URL(url);
  plainUrl.search = withoutCacheBusters(url);
  if (plainUrl.href === url.href || (source && !stripsCacheBusters(source))) return { asWritten };
  const plainSource = findSource(plainUrl.href, sources);
  const isPlain = plainSource && stripsCacheBusters(plainSource);
  return { asWritten, plain: isPlain ? cameraOf(plainUrl, plainSource) : undefined };
}

/** Under another query policy, the operator has decided already. */
function stripsCacheBusters({ query, cacheBusters }: Source): boolean {
  return query === 'keep' && cacheBusters === 'strip';
}

/** @throws ProblemError 403 without a camera */
function orNotAllowed(camera: Camera | undefined): Camera {
  if (camera) return camera;
  throw new ProblemError({
    status: 403,
    code: 'source-not-allowed',
    detail:
      'this url is not allowed here; the operator of this server sets the allowed sources (ALLOWED_SOURCES)',
  });
}

/** @throws ProblemError 404 for an unknown name */
export function findCameraByName(name: string, { cameras }: Rules): Camera {
  const found = cameras.get(name);
  if (found) return found.camera;
  const detail = 'no camera has this name';
  throw new ProblemError({ status: 404, code: 'no-such-camera', detail });
}
