import { ProblemError } from '@lastframe/shared/process/errors';
import { describe, expect, it } from 'vitest';
import { readPairs } from './query-pairs.ts';
import { rejectStrayParameters } from './stray-parameters.ts';

const SIGNATURE = 'a'.repeat(43);
const isCamera = (name: string) => name === 'gate';
const images = { names: ['url', 'sig', 'exp'], areLists: false, isCamera };
const events = { names: ['url', 'camera', 'sig', 'exp'], areLists: true, isCamera };

/** Returns the detail of the problem, or undefined if there is none. */
function detailOf(query: string, route = images): string | undefined {
  try {
    rejectStrayParameters(readPairs(query), '/images', route);
    return undefined;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    expect(error.problem).toMatchObject({ status: 400, code: 'invalid-url' });
    expect(error.problem.detail).not.toMatch(/s3cret/);
    return error.problem.detail;
  }
}

/** Returns the suggested query, decoded. */
function suggestionIn(query: string, route = images): string | undefined {
  const encoded = /\/images\?url=(\S*)/.exec(detailOf(query, route) ?? '')?.[1];
  return encoded === undefined ? undefined : decodeURIComponent(encoded);
}

describe('the URL of an image with its own query, pasted without encoding', () => {
  it('is rejected with the target as it should have been written, without secrets', () => {
    expect(detailOf('url=http://cam/x?user=me&pwd=s3cret')).toBe(
      'an & that is not percent-encoded ends the url, so pwd would be lost; percent-encode the whole URL of the image, & as %26, as in /images?url=http%3A%2F%2Fcam%2Fx%3Fuser%3D…%26pwd%3D… with your own values for …',
    );
    expect(suggestionIn('url=http://cam/x?res=4&channel=2')).toBe('http://cam/x?res=4&channel=2');
  });

  it.each([
    ['half encoded', 'url=http%3A%2F%2Fcam%2Fx%3Fa%3D1&b=2', 'http://cam/x?a=1&b=2'],
    ['its query half encoded', 'url=http://cam/x%3Fa%3D1&b=2', 'http://cam/x?a=1&b=2'],
    ['its beginning encoded', 'url=http%3A%2F%2Fcam/x?a=1&b=2', 'http://cam/x?a=1&b=2'],
    ['with escapes of its own', 'url=http://cam/x?a=%20&b=%26+', 'http://cam/x?a=%20&b=%26+'],
    ['with &amp;', 'url=http://cam/x?a=1&amp;b=2', 'http://cam/x?a=1&b=2'],
    ['with credentials', 'url=http://me:s3cret@cam/x?a=1&b=2', 'http://cam/x?a=1&b=2'],
    ['with a bare parameter', 'url=http://cam/x?a=1&b', 'http://cam/x?a=1&b'],
    [
      'with a password that has an &',
      'url=http://cam/x?a=1&pwd=s3cret&s3cret2',
      'http://cam/x?a=1&pwd=…&…',
    ],
    ['with a second url', 'url=http://cam/x?a=1&url=2', 'http://cam/x?a=1&url=2'],
    ['with an exp of its own', 'url=http://cam/x?a=1&exp=5', 'http://cam/x?a=1&exp=5'],
    ['with a sig of its own', 'url=http://cam/x?a=1&sig=s3cret', 'http://cam/x?a=1&sig=…'],
    ['behind a cache-buster', 't=1&url=http://cam/x?a=1&t=2&b=3', 'http://cam/x?a=1&b=3'],
    ['with bytes that are not UTF-8', 'url=http://cam/%E9?a=1&b=2', 'http://cam/%E9?a=1&b=2'],
  ])('is told how: %s', (_, query, url) => {
    expect(suggestionIn(query)).toBe(url);
  });

  it('names HTML as the origin of &amp;', () => {
    expect(detailOf('url=http://cam/x?a=1&amp;b=2')).toMatch(/^the query has &amp; in it/);
    expect(detailOf(`url=http://cam/x&amp;sig=${SIGNATURE}`)).toMatch(
      /&amp; .*write & before sig$/,
    );
  });

  it('names a few parameters, none of which may be a secret', () => {
    expect(detailOf('url=http://cam/x?a&b=1&c=2&d=3&e=4')).toMatch(
      /so b, c, d and more would be lost/,
    );
    expect(detailOf('url=http://cam/x?pwd=s&s3cret')).toMatch(/so what follows it would be lost/);
    expect(detailOf('url=http://cam/x?pwd=s&s3cret!%0d%0a=1')).toMatch(/so what follows it/);
  });

  it('has a bounded answer', () => {
    const detail = detailOf(`url=http://cam/x?a=1&${'b=2&'.repeat(3000)}`);
    expect(detail).toMatch(/percent-encode the whole URL of the image, & as %26$/);
  });

  it('may carry a signature and cache-busters beside it', () => {
    const url = 'url=http://cam/x?a=1';
    for (const more of [
      `&sig=${SIGNATURE}`,
      `&sig=${SIGNATURE}&exp=17`,
      '&t=1&_=2&nocache',
      '&&',
    ]) {
      expect(detailOf(url + more), more).toBeUndefined();
    }
  });

  it('is also told about parameters in front of it', () => {
    const detail = detailOf('foo=1&url=http%3A%2F%2Fcam%2Fx%3Fa%3D1');
    expect(detail).toBe('leave out foo: /images has no such parameter');
  });
});

it('without a query of its own, a url has nothing to lose', () => {
  for (const query of [
    'url=http://cam/x&pwd=s3cret',
    'a=1&url=http%3A%2F%2Fcam%2Fx',
    'a=1&b=2',
    '',
  ]) {
    expect(detailOf(query), query).toBeUndefined();
  }
});

describe('where several cameras can be given', () => {
  it('each url is told about what follows it', () => {
    const second = 'url=http://one/x&foo=1&url=http://two/x?a=1&b=2&url=http://three/x?c=3';
    expect(suggestionIn(second, events)).toBe('http://two/x?a=1&b=2');
    expect(detailOf('url=http://one/x?a=1&url=http://two/x?b=2', events)).toBeUndefined();
  });

  it('a camera belongs to the url unless it has the name of one', () => {
    const axis = 'url=http://cam/image.cgi?resolution=640x480&camera=2';
    expect(suggestionIn(axis, events)).toBe('http://cam/image.cgi?resolution=640x480&camera=2');
    expect(detailOf('url=http://cam/x?a=1&camera=gate', events)).toBeUndefined();
    expect(detailOf('url=http%3A%2F%2Fcam%2Fx%3Fa%3D1&camera=2', events)).toBeUndefined();
  });
});
