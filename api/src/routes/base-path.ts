import { getPath } from 'hono/utils/url';

/**
 * The path of a request below the base path. Some reverse proxies pass the prefix on and some take
 * it away, so both are understood.
 */
export function pathBelow(basePath = '/'): (request: Request) => string {
  if (basePath === '/') return getPath;
  return (request) => {
    const path = getPath(request);
    if (path === basePath) return '/';
    return path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : path;
  };
}
