import { ProblemError } from '@lastframe/shared/process/errors';
import type { Context } from 'hono';
import { isNotModified } from '../answer/conditional.ts';
import type { WallFiles } from './wall-files.ts';

export interface WallDeps {
  wall: WallFiles;
  /** Where a reverse proxy mounts it; `/` unless set. */
  basePath?: string;
}

/**
 * Nothing but what this api itself serves; `blob:` are the pictures once they are fetched. It may
 * be framed, in a dashboard for instance: no click on it changes anything.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  'frame-ancestors *',
].join('; ');

const HEADERS = {
  // All of it is asked for again, so that a page never mixes two versions for long.
  'Cache-Control': 'no-cache',
  'Content-Security-Policy': POLICY,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** `GET, HEAD /`: the wall, a page of the named cameras. */
export function getWall(c: Context, deps: WallDeps): Response {
  const { pathname, search } = new URL(c.req.url);
  // Its links are relative, so that it works below any path; that needs the slash at the end.
  if (deps.basePath !== '/' && pathname === deps.basePath) {
    const headers = { Location: `${pathname}/${search}`, 'Cache-Control': 'no-cache' };
    return new Response(null, { status: 308, headers });
  }
  return fileResponse(c, deps.wall, 'index.html');
}

/** `GET, HEAD /wall/<file>`: its style, scripts and icon. */
export function getWallFile(c: Context, { wall }: WallDeps): Response {
  return fileResponse(c, wall, c.req.param('file') ?? '');
}

function fileResponse(c: Context, wall: WallFiles, name: string): Response {
  const file = wall.get(name);
  if (!file) {
    const detail = 'the wall has no such file';
    throw new ProblemError({ status: 404, code: 'not-found', detail });
  }
  const { bytes, contentType, etag } = file;
  const headers = { ...HEADERS, ETag: etag };
  const ifNoneMatch = c.req.header('if-none-match');
  if (isNotModified({ ifNoneMatch, ifModifiedSince: undefined }, { etag, changedAtMs: 0 })) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(bytes, {
    headers: { ...headers, 'Content-Type': contentType, 'Content-Length': String(bytes.length) },
  });
}
