import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { RulesNow } from '@lastframe/shared/cameras/rules';
import { ProblemError } from '@lastframe/shared/process/errors';
import type { Context } from 'hono';
import { isNotModified } from '../answer/conditional.ts';
import { isCameraIn, readCheckedPairs } from './query-schemas.ts';

export interface WallDeps {
  wall: WallFiles;
  rules: RulesNow;
  /** Where a reverse proxy mounts the app, or `/`. */
  basePath: string;
}

/**
 * Allows only what this api serves; `blob:` URLs are fetched images. Other pages, such as a
 * dashboard, may frame the wall: no click on it changes anything.
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
  // Revalidated each time, so that a page never mixes two versions for long.
  'Cache-Control': 'no-cache',
  'Content-Security-Policy': POLICY,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** `GET, HEAD /`: the wall, a page of the named cameras. */
export function getWall(c: Context, deps: WallDeps): Response {
  const isCamera = isCameraIn(deps.rules);
  readCheckedPairs(c, { names: ['url', 'camera', 'columns'], areLists: true, isCamera });
  const { pathname, search } = new URL(c.req.url);
  // Its links are relative, so that it works below any path. They need the trailing slash.
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

/** A file of the wall as a browser gets it. */
export interface WallFile {
  bytes: Uint8Array<ArrayBuffer>;
  contentType: string;
  etag: string;
}

/** By name; `index.html` is the page itself. */
export type WallFiles = ReadonlyMap<string, WallFile>;

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Reads the wall's files once. They are small, and stay in memory as they were on startup. */
export function readWallFiles(folder = join(import.meta.dirname, '../wall')): WallFiles {
  const files = new Map<string, WallFile>();
  for (const name of readdirSync(folder)) {
    const contentType = TYPES[extname(name)];
    if (!contentType) continue;
    const bytes = new Uint8Array(readFileSync(join(folder, name)));
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
    files.set(name, { bytes, contentType, etag: `"sha256-${hash}"` });
  }
  return files;
}
