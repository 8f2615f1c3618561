import { ProblemError } from '../process/errors.ts';
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

/**
 * Returns the camera for a viewer's `url`. The first matching source wins.
 * @throws ProblemError 400 for a bad URL, 403 if no source matches
 */
export function findCamera(text: string, sources: readonly Source[]): Camera {
  const url = parseCameraUrl(text);
  const source = sources.find(({ pattern }) => pattern.test(url.href));
  if (source) return cameraOf(url, source);
  throw new ProblemError({
    status: 403,
    code: 'source-not-allowed',
    detail:
      'this url is not allowed here; the operator of this server sets the allowed sources (ALLOWED_SOURCES)',
  });
}

/**
 * Returns the camera for a viewer's `url`. The URL of a named camera leads to that camera, so that
 * no job contains the URL.
 * @throws ProblemError 400 for a bad URL, 403 if no source matches
 */
export function findCameraByUrl(text: string, { sources, namedById }: Rules): Camera {
  const camera = findCamera(text, sources);
  return namedById.get(camera.cameraId) ?? camera;
}

/** @throws ProblemError 404 for an unknown name */
export function findCameraByName(name: string, { cameras }: Rules): Camera {
  const found = cameras.get(name);
  if (found) return found.camera;
  const detail = 'no camera has this name';
  throw new ProblemError({ status: 404, code: 'no-such-camera', detail });
}
