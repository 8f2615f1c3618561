import { makeRules } from '@lastframe/shared/cameras/rules';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { pathBelow } from './base-path.ts';
import { getWall, getWallFile, readWallFiles } from './wall-page.ts';

const wall = readWallFiles();

function app(basePath = '/') {
  const deps = { wall, basePath, rules: () => makeRules([]) };
  return new Hono({ getPath: pathBelow(basePath) })
    .get('/', (c) => getWall(c, deps))
    .get('/wall/:file', (c) => getWallFile(c, deps));
}

const textOf = (name: string) => Buffer.from(wall.get(name)?.bytes ?? []).toString();

describe('the wall', () => {
  it('may load nothing from elsewhere, and runs no inline script', async () => {
    const response = await app().request('/');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|data:/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('ignores unknown parameters, unless they were meant for a camera', async () => {
    expect((await app().request('/?url=http://cam.test/i&fullscreen=1')).status).toBe(200);
    const onError = (error: Error) => new Response(error.message, { status: 400 });
    const stray = '/?columns=2&url=http://cam.test/i?a=1&pwd=s3cret';
    const response = await app().onError(onError).request(stray);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('/?url=http%3A%2F%2Fcam.test%2Fi%3Fa%3D1%26pwd%3D…');
  });

  it('has its own scripts, style and icon, each with its type', async () => {
    const links = [...textOf('index.html').matchAll(/(?:src|href)="(wall\/[^"]+)"/g)];
    const types = await Promise.all(
      links.map(async ([, path]) => {
        const response = await app().request(`/${path}`);
        expect(response.status).toBe(200);
        return response.headers.get('content-type');
      }),
    );
    expect(new Set(types)).toEqual(
      new Set(['image/svg+xml', 'text/css; charset=utf-8', 'text/javascript; charset=utf-8']),
    );
  });

  it('is revalidated each time, and gets 304 when unchanged', async () => {
    const first = await app().request('/wall/main.js');
    expect(first.headers.get('cache-control')).toBe('no-cache');
    const etag = first.headers.get('etag') ?? '';
    const again = await app().request('/wall/main.js', { headers: { 'If-None-Match': etag } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
  });

  it('serves only its own files: no source, no test, nothing above', async () => {
    for (const name of ['tsconfig.json', 'words.test.ts', '..%2fapp.ts', 'nothing.js']) {
      expect((await app().request(`/wall/${name}`)).status, name).not.toBe(200);
    }
    expect([...wall.keys()].filter((name) => /test|json|\.ts$/.test(name))).toEqual([]);
  });

  it('redirects to the trailing slash that its relative links need', async () => {
    const response = await app('/cams').request('/cams?columns=3');
    expect(response.status).toBe(308);
    expect(response.headers.get('location')).toBe('/cams/?columns=3');
    expect((await app('/cams').request('/cams/')).status).toBe(200);
    expect((await app('/cams').request('/')).status).toBe(200);
  });

  it('has only relative links', () => {
    for (const [name, { bytes }] of wall) {
      const text = Buffer.from(bytes).toString();
      expect(text, name).not.toMatch(/(?:src|href|action)="\//);
      expect(text, name).not.toMatch(/(?:fetch|EventSource)\(['"`]\//);
    }
  });

  it('is small', () => {
    const sizes = [...wall.values()].map(({ bytes }) => bytes.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(60 * 1024);
  });
});
