import { describe, expect, it } from 'vitest';
import {
  cacheBustersIn,
  isCacheBuster,
  isCacheBusterBesideUrl,
  withoutCacheBusters,
} from './cache-busters.ts';

const NOW = '1764413962123';

describe('a cache-buster', () => {
  it.each([
    ...['t=1', 't=39', `T=${NOW}`, 'time=12', `_=${NOW}`, '_=1', 'ts=7', 'timestamp=1764413962'],
    ...[
      'rand=0.8437120938',
      'random=.12',
      'rnd=5',
      'nocache=1',
      'no_cache=1',
      'noCache=12',
      'cb=3',
    ],
    ...['_t=1', '_ts=1', '_dc=1', 'cachebuster=1', 'bust=1', 'dummy=1', 'uniq=1', 'r=83712'],
    ...[
      'r=0.8437120938',
      `n=${NOW}`,
      `date=${NOW}`,
      `v=${NOW}`,
      NOW,
      '1764413962',
      '0.84371209384',
    ],
  ])('is %s', (pair) => expect(isCacheBuster(pair)).toBe(true));

  it.each([
    // Each may select a picture.
    ...['t=', 't', 't=north', 't=-1h', 't=1a', 'time=5s', 'r=1080', 'r=0.5', 'n=10023', 'x=10023'],
    ...['date=20261129', 'd=20261129', 'v=2', '1', '12', '10023', '20261129', 'channel=12345'],
    ...['id=1764413962123', 'camera=12', 'stream=100000', 'w=640', 'q=0.8437120938', 'seq=12345'],
    // Constant, so they make no more cameras.
    ...['nocache', 'nocache=', 'rand=abc', 'cb=true', '', '=', `=${NOW}`, `x=t=${NOW}`],
    ...[
      'rand=1.2.3',
      'rand=1.',
      'rand=0x1f',
      'rand=1e5',
      `rand=${'1'.repeat(33)}`,
      'constructor=1',
    ],
  ])('is not %s', (pair) => expect(isCacheBuster(pair)).toBe(false));
});

it.each([
  ['', ''],
  ['?', '?'],
  ['??', '??'],
  ['?t=10', ''],
  ['?1764413962123', ''],
  ['?w=1&t=10', '?w=1'],
  ['?t=10&w=1', '?w=1'],
  ['?w=1&t=10&h=2&_=3', '?w=1&h=2'],
  ['?w=1?t=10', '?w=1'],
  ['?t=10?w=1', '?w=1'],
  ['?w=a?b&t=10', '?w=a?b'],
  ['?&t=10', ''],
  ['?w=1&', '?w=1&'],
  ['?t=1&t=2', ''],
])('the query %s without them is %s', (search, without) => {
  const parts = { pathname: '/snap.cgi', search };
  expect(withoutCacheBusters(parts)).toBe(without);
  expect(withoutCacheBusters({ ...parts, search: without })).toBe(without);
});

it('any number alone is a cache-buster behind an image file, which has only one picture', () => {
  for (const pathname of ['/a.jpg', '/a.JPEG', '/cam/b.png']) {
    expect(withoutCacheBusters({ pathname, search: '?7' })).toBe('');
  }
  for (const pathname of ['/jpg', '/a.cgi', '/a.jpg/b', '/']) {
    expect(withoutCacheBusters({ pathname, search: '?7' })).toBe('?7');
  }
});

describe('beside the URL, a cache-buster', () => {
  it.each(['t=1', 't=', 't', 'nocache', 'rand=abc', '_=', 'r=83712', NOW])('is %s', (pair) => {
    expect(isCacheBusterBesideUrl(pair)).toBe(true);
  });

  it.each(['t=north', 'r=1080', 'v=2', 'pwd=b', 'channel=2', '12', 'constructor'])(
    'is not %s',
    (pair) => expect(isCacheBusterBesideUrl(pair)).toBe(false),
  );
});

it('the cache-busters in a query are named once each, in lower case', () => {
  const namesIn = (search: string) => cacheBustersIn({ pathname: '/', search });
  expect(namesIn(`?w=1&T=10&t=12?_=1&${NOW}`)).toEqual(['t', '_', '']);
  expect(namesIn('?w=1&t=north')).toEqual([]);
  expect(namesIn('')).toEqual([]);
});
