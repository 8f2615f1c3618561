import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { prefersImages, problemsAsImages } from './placeholder-image.ts';
import { problemResponse } from './problem.ts';

const IMG = 'image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5';

describe('a viewer prefers images', () => {
  it.each([
    [IMG, true],
    ['image/*', true],
    ['image/svg+xml', true],
    ['image/avif, image/webp;q=0.9, IMAGE/*;Q=0.8', true],
    ['text/html,application/xhtml+xml,image/avif,image/webp,*/*;q=0.8', false],
    ['application/json', false],
    ['*/*', false],
    ['image/svg+xml;q=0', false],
    ['image/*;q=0.1, application/problem+json', false],
    ['image/*;q=nonsense', false],
    ['', false],
    [undefined, false],
  ])('with Accept %s: %s', (accept, prefers) => {
    expect(prefersImages(accept)).toBe(prefers);
  });
});

describe('a problem', () => {
  const SCRIPT = '<script>alert(1)</script>';
  const app = new Hono();
  app.use(problemsAsImages);
  app.get('/:status', (c) => {
    const status = Number(c.req.param('status')) as 502 | 503 | 504 | 403;
    return problemResponse({ status, code: 'x', detail: SCRIPT, retryAfterMs: 4000 }, c.req.path);
  });
  const request = (status: number, accept = IMG) =>
    app.request(`/${status}`, { headers: { Accept: accept } });

  it.each([502, 503, 504])(
    'of status %d is drawn with its own headers and fixed words',
    async (status) => {
      const [drawn, plain] = await Promise.all([request(status), request(status, '*/*')]);
      expect(drawn.status).toBe(status);
      expect(drawn.headers.get('content-type')).toBe('image/svg+xml');
      for (const name of ['cache-control', 'cache-status', 'retry-after', 'proxy-status']) {
        expect(drawn.headers.get(name), name).toBe(plain.headers.get(name));
      }
      const text = await drawn.text();
      expect(text).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" .*<\/svg>\n$/s);
      expect(text).not.toContain('script');
      expect(plain.headers.get('content-type')).toBe('application/problem+json');
    },
  );

  it.each([
    [502, 'The camera failed'],
    [503, 'No frame yet'],
    [504, 'The camera timed out'],
  ])('of status %d shows the title: %s', async (status, title) => {
    expect(await (await request(status)).text()).toContain(`>${title}</text>`);
  });

  it('that the request itself caused is sent as JSON', async () => {
    expect((await request(403)).headers.get('content-type')).toBe('application/problem+json');
  });
});

it('an Accept header over 4096 characters is ignored', () => {
  const padded = (length: number) => 'image/*,'.padEnd(length, 'x');
  expect([4096, 4097].map((length) => prefersImages(padded(length)))).toEqual([true, false]);
});
