import { unlessTooLong } from '@lastframe/shared/http/http-fields';
import type { Context, MiddlewareHandler } from 'hono';
import { TITLES } from './problem.ts';

/** Fixed words: nothing that anybody else wrote is drawn. */
const WORDS = {
  502: { title: TITLES[502], more: 'It gave no picture' },
  503: { title: 'No frame yet', more: 'Ask again in a moment' },
  504: { title: TITLES[504], more: 'It gave no picture in time' },
} as const;

/**
 * Where there is no frame for a viewer who prefers images, he gets one that says so instead of a
 * problem in JSON: the same status and headers, so caches and scripts see no difference.
 */
export const drawProblems: MiddlewareHandler = async (c, next) => {
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

/** Hono merges the headers of a response into the one that takes its place, unless there is none. */
function replace(c: Context, response: Response): void {
  c.res = undefined;
  c.res = response;
}

const MAX_ACCEPT_LENGTH = 4096;

/** A browser's `<img>` does; who opens the address itself prefers a page, and a script has no wish. */
export function prefersImages(accept: string | undefined): boolean {
  const ranges = (unlessTooLong(accept, MAX_ACCEPT_LENGTH) ?? '*/*').split(',').map(parseRange);
  return weightOf('image/svg+xml', ranges) > weightOf('application/problem+json', ranges);
}

type Range = { type: string; weight: number };

function parseRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  const weight = q === undefined ? 1 : Number.parseFloat(q);
  return { type, weight: weight >= 0 && weight <= 1 ? weight : 0 };
}

/** The most specific range that covers a type decides (RFC 9110 12.5.1). */
function weightOf(type: string, ranges: readonly Range[]): number {
  const [kind] = type.split('/');
  for (const covers of [type, `${kind}/*`, '*/*']) {
    const range = ranges.find((one) => one.type === covers);
    if (range) return range.weight;
  }
  return 0;
}

/** Readable from a thumbnail to a video wall, in front of light and dark. */
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
