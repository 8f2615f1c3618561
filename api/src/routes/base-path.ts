import { getPath } from 'hono/utils/url';

/**
 * Returns a function for the path of a request below the base path. Reverse proxies may keep the
 * prefix or strip it, so both work.
 */
export function pathBelow(basePath: string): (request: Request) => string {
  if (basePath === '/') return getPath;
  return (request) => {
    const path = getPath(request);
    if (path === basePath) return '/';
    return path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : path;
  };
}
