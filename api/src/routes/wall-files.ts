import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

/** A file of the wall, as a browser gets it. */
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

/** The wall's files, read once: they are small, and stay in memory as they were at the start. */
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
