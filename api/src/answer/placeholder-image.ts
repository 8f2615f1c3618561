import { unlessTooLong } from '@lastframe/shared/http/http-fields';
import type { Context, MiddlewareHandler } from 'hono';
import Negotiator from 'negotiator';
import { TITLES } from './problem.ts';

/** Fixed words: no text from elsewhere is drawn. */
const WORDS = {
  502: { title: TITLES[502], more: 'It sent no image' },
  503: { title: 'No frame yet', more: 'Try again in a moment' },
  504: { title: TITLES[504], more: 'It sent no image in time' },
} as const;

/**
 * Replaces a JSON problem with an image that shows it, for viewers that prefer images. Status and
 * headers stay the same, so caches and scripts see no difference.
 */
export const problemsAsImages: MiddlewareHandler = async (c, next) => {
  await next();
  const { status } = c.res;
  if (status !== 502 && status !== 503 && status !== 504) return;
  if (!prefersImages(c.req.header('accept'))) return;
  const headers = new Headers(c.res.headers);
  headers.set('Content-Type', 'image/svg+xml');
  headers.set('Content-Security-Policy', "default-src 'none'; sandbox");
  headers.set('Cross-Origin-Resource-Policy', 'cross-origin');
  replace(c, new Response(placeholder(status), { status, headers }));
};

/** Hono merges the old response's headers into the new one unless the old one is unset first. */
function replace(c: Context, response: Response): void {
  c.res = undefined;
  c.res = response;
}

const MAX_ACCEPT_LENGTH = 4096;

/** Returns true for a browser's `<img>`, false for its address bar and for most scripts. */
export function prefersImages(accept: string | undefined): boolean {
  const headers = { accept: unlessTooLong(accept, MAX_ACCEPT_LENGTH) };
  // If both are equally welcome, the first wins.
  const types = ['application/problem+json', 'image/svg+xml'];
  return new Negotiator({ headers }).mediaType(types) === 'image/svg+xml';
}

/** Readable from thumbnail to video wall, on light and dark pages. */
function placeholder(status: keyof typeof WORDS): string {
  const { title, more } = WORDS[status];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 180" role="img" aria-label="${title}. ${more}.">
<rect width="320" height="180" fill="#5b6470"/>
<g fill="none" stroke="#c8ced6" stroke-width="5" stroke-linejoin="round" stroke-linecap="round">
<path d="M132 44h12l6-9h20l6 9h12a6 6 0 0 1 6 6v34a6 6 0 0 1-6 6h-56a6 6 0 0 1-6-6V50a6 6 0 0 1 6-6z"/>
<circle cx="160" cy="66" r="13"/><path d="M118 30l84 70"/></g>
<g font-family="system-ui, sans-serif" text-anchor="middle">
<text x="160" y="130" font-size="24" font-weight="600" fill="#fff">${title}</text>
<text x="160" y="156" font-size="16" fill="#e3e7ec">${more}</text></g>
</svg>
`;
}
