import { ProblemError } from '@lastframe/shared/errors';
import { findCamera, type Source } from '@lastframe/shared/source';
import type { Context } from 'hono';
import { type Conditions, frameResponse } from '../frame-response.ts';
import { frameFromAfar, frameInMemory, type LastFrameDeps } from '../last-frame.ts';

export interface ImagesDeps extends LastFrameDeps {
  sources: readonly Source[];
}

/** `GET, HEAD /images?url=`: the last frame of a camera. */
export async function getImage(c: Context, deps: ImagesDeps): Promise<Response> {
  const camera = findCamera(onlyUrl(c.req.queries('url')), deps.sources);
  const conditions = conditionsOf(c);
  const held = frameInMemory(camera, deps);
  if (held) return frameResponse(held, 'memory', deps.clock.monoMs(), conditions);
  const found = await frameFromAfar(camera, c.req.raw.signal, deps);
  return frameResponse(found.held, found.origin, deps.clock.monoMs(), conditions);
}

function conditionsOf({ req }: Context): Conditions {
  return {
    ifNoneMatch: req.header('if-none-match'),
    ifModifiedSince: req.header('if-modified-since'),
    range: req.method === 'GET' ? req.header('range') : undefined,
    ifRange: req.header('if-range'),
    instance: req.path,
  };
}

function onlyUrl(urls: string[] | undefined): string {
  const [url, ...more] = urls ?? [];
  if (url === undefined) throw bad('url is missing; ask for /images?url=<URL of the image>');
  if (more.length > 0) {
    throw bad('url is given more than once; percent-encode the & in the URL of the image as %26');
  }
  return url;
}

function bad(detail: string): ProblemError {
  return new ProblemError({ status: 400, code: 'invalid-url', detail });
}
