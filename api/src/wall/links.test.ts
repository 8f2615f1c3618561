import { expect, it } from 'vitest';
import { readTargets } from '../streams/stream-targets.ts';
import { eventsUrls } from './links.js';

const topics = (count: number) =>
  Array.from({ length: count }, (_, n) => `camera=camera-with-a-name-of-some-length-${n}`);

it('uses one connection for an ordinary wall', () => {
  expect(eventsUrls(['camera=a', 'url=b'])).toEqual(['events?camera=a&url=b']);
  expect(eventsUrls(topics(250))).toHaveLength(1);
});

it('keeps each URL as short as the API requires', () => {
  const urls = eventsUrls(topics(2000));
  expect(Math.max(...urls.map((url) => url.length))).toBeLessThan(14 * 1024);
  expect(urls.flatMap((url) => url.replace('events?', '').split('&'))).toEqual(topics(2000));
});

it('keeps to the API’s limit on cameras by URL, and leaves none out', () => {
  const byUrl = Array.from({ length: 200 }, (_, n) => `url=http%3A%2F%2Fcam.test%2F${n}`);
  const wall = [...topics(100), ...byUrl];
  const urls = eventsUrls(wall);
  const queries = urls.map((url) => new URLSearchParams(url.replace('events?', '')));
  for (const query of queries) {
    const given = { camera: query.getAll('camera'), url: query.getAll('url'), sig: [], exp: [] };
    expect(() => readTargets(given, { key: '', nowMs: 0 })).not.toThrow();
  }
  expect(urls).toHaveLength(4);
  expect(urls.flatMap((url) => url.replace('events?', '').split('&'))).toEqual(wall);
});

it('needs no connection without cameras', () => {
  expect(eventsUrls([])).toEqual([]);
});
