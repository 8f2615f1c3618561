import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UrlPattern } from './url-pattern.ts';

/** `make fuzz` raises it. */
const numRuns = Number(process.env.FUZZ_RUNS ?? 1500);

describe('compared with URLPattern', () => {
  const hosts = ['cam.test', 'a.cam.test', 'cam-1.a.test', '127.0.0.1', '[::1]', 'cam'];
  const hostPatterns = ['*', '*.test', '*.cam.test', 'cam-*.a.test', ...hosts];
  const ports = ['', ':8080'];
  const pieces = fc.constantFrom('/', 'a', 'b', '.jpg', '-', '%20', 'live', ';', '~', ',', '=x');
  const text = (extra: string[], maxLength = 6) =>
    fc
      .array(fc.oneof(pieces, ...extra.map((one) => fc.constant(one))), { maxLength })
      .map((parts) => parts.join('').replace(/\*+/g, '*'));
  const queries = (extra: string[]) => fc.option(text(['=', '&', ...extra], 4), { nil: undefined });
  const urls = fc
    .tuple(fc.constantFrom(...hosts), fc.constantFrom(...ports), text([]), queries([]))
    .map(([host, port, path, query]) => `http://${host}${port}/${path}${query ? `?${query}` : ''}`);
  const patterns = fc.tuple(
    fc.constantFrom(...hostPatterns),
    fc.constantFrom(...ports, ':*'),
    text(['*']),
    queries(['*']),
  );

  /** Replaces each `*` of the pattern; if undefined, the URL is unrelated. */
  const fills = fc.option(fc.constantFrom('a', '7', 'a1', 'b-'), { nil: undefined, freq: 2 });

  it('an ordinary pattern returns the same verdict for any URL', () => {
    let matches = 0;
    fc.assert(
      fc.property(patterns, urls, fills, ([host, port, path, query], url, fill) => {
        const start = `http://${host}${port}/${path}`;
        const pattern = query === undefined ? start : `${start}?${query}`;
        const filled = pattern
          .replace(':*', ':8080')
          .replace('://*', '://a')
          .replaceAll('*', fill ?? '');
        const { href } = new URL(fill === undefined ? url : filled);
        const ours = new UrlPattern(pattern);
        const theirs = new URLPattern({
          protocol: 'http',
          hostname: host.replaceAll(/[[\]]/g, '').includes('::') ? '[\\:\\:1]' : host,
          port: port.slice(1),
          pathname: `/${path}`,
          search: query ?? '*',
        });
        const verdict = ours.test(href);
        if (verdict) matches += 1;
        expect([href, verdict]).toEqual([href, theirs.test(href)]);
      }),
      { numRuns },
    );
    // Otherwise it would hold because nothing matches.
    expect(matches).toBeGreaterThan(numRuns / 20);
  });
});
