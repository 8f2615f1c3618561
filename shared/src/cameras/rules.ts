import { ProblemError } from '../process/errors.ts';
import { type Camera, cameraOf, parseCameraUrl } from './camera.ts';
import type { Source } from './source.ts';

/** A camera that viewers know by its name only; its URL stays between the file and the worker. */
export interface NamedCamera {
  name: string;
  title: string;
  /** Refreshed every interval without demand. */
  keepWarm: boolean;
  camera: Camera;
}

/** What the operator allows: replaced as a whole when `SOURCES_FILE` changes. */
export interface Rules {
  sources: readonly Source[];
  cameras: ReadonlyMap<string, NamedCamera>;
  /** The named cameras again, by cameraId. */
  namedById: ReadonlyMap<string, Camera>;
}

/** The rules in force now. Asked for at each request and job, never kept. */
export type RulesNow = () => Rules;

export function makeRules(sources: readonly Source[], cameras: Iterable<NamedCamera> = []): Rules {
  const all = [...cameras];
  return {
    sources,
    cameras: new Map(all.map((named) => [named.name, named])),
    // The first name of two for one URL wins: a camera has one job, and so one name.
    namedById: new Map(all.toReversed().map(({ camera }) => [camera.cameraId, camera])),
  };
}

/**
 * The camera that a viewer's `url` means. The first source that matches wins.
 * @throws ProblemError 400 for a bad URL, 403 when no source matches
 */
export function findCamera(text: string, sources: readonly Source[]): Camera {
  const url = parseCameraUrl(text);
  const source = sources.find(({ pattern }) => pattern.test(url.href));
  if (source) return cameraOf(url, source);
  throw new ProblemError({
    status: 403,
    code: 'source-not-allowed',
    detail: 'no source of this server matches this url; its operator sets them in ALLOWED_SOURCES',
  });
}

/**
 * The camera that a viewer's `url` means. A URL that a named camera has is that camera, so that no
 * job carries it.
 * @throws ProblemError 400 for a bad URL, 403 when no source matches
 */
export function findCameraByUrl(text: string, { sources, namedById }: Rules): Camera {
  const camera = findCamera(text, sources);
  return namedById.get(camera.cameraId) ?? camera;
}

/** @throws ProblemError 404 for a name that no camera has */
export function findCameraByName(name: string, { cameras }: Rules): Camera {
  const found = cameras.get(name);
  if (found) return found.camera;
  const detail = 'there is no camera of this name';
  throw new ProblemError({ status: 404, code: 'no-such-camera', detail });
}
