import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeParameter, readPairs, valuesOf } from './query-pairs.ts';

it('a query is read as browsers write it', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.string())), (entries) => {
      const wellFormed = entries.map(([name, value]) => [
        name.toWellFormed(),
        value.toWellFormed(),
      ]);
      const pairs = readPairs(new URLSearchParams(wellFormed as [string, string][]).toString());
      expect(pairs.map(({ name, value }) => [name, value])).toEqual(wellFormed);
    }),
  );
});

it('a parameter may have no value, be empty, or be given several times', () => {
  const pairs = readPairs('a&b=&a=1&&a=%3D=&c');
  expect(valuesOf(pairs, 'a')).toEqual(['', '1', '==']);
  expect(valuesOf(pairs, 'b')).toEqual(['']);
  expect(valuesOf(pairs, 'd')).toEqual([]);
});

it('a cache-buster behind the last parameter is not part of it, unless that is the url', () => {
  expect(valuesOf(readPairs('url=http://cam/x?t=12&sig=abc?t=1'), 'url')).toEqual([
    'http://cam/x?t=12',
  ]);
  expect(valuesOf(readPairs('url=x&sig=abc?t=1'), 'sig')).toEqual(['abc']);
  expect(valuesOf(readPairs('camera=gate?1764413962123'), 'camera')).toEqual(['gate']);
  for (const kept of ['a?b=1', 'a?', 'a?12']) {
    expect(valuesOf(readPairs(`camera=${kept}`), 'camera')).toEqual([kept]);
  }
});

describe('a parameter', () => {
  it.each([
    ['caf%C3%A9', 'café'],
    ['caf%E9', 'caf%E9'],
    ['%2F%E9%3F', '/%E9?'],
    ['%C3%A9%ff%2f', 'é%FF/'],
    ['%C3', '%C3'],
    ['%C0%AF', '%C0%AF'],
    ['%ED%A0%80', '%ED%A0%80'],
    ['%F0%9F%93%B7%F0%9F', '📷%F0%9F'],
    ['%F4%90%80%80', '%F4%90%80%80'],
    ['%FF+%25FF', '%FF %FF'],
    ['100%+%zz', '100% %zz'],
    ['%u00e9', '%u00e9'],
  ])('%s is %s', (encoded, decoded) => expect(decodeParameter(encoded)).toBe(decoded));

  it('with any bytes is decoded without a loss', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        const escapes = Buffer.from(bytes).toString('hex').replace(/../g, '%$&');
        const decoded = decodeParameter(escapes);
        const again = encodeURIComponent(decoded).replace(/%25([89A-F][\dA-F])/g, '%$1');
        expect(Buffer.from(unescape(again), 'latin1')).toEqual(Buffer.from(bytes));
      }),
    );
  });
});
