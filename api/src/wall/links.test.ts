import { expect, it } from 'vitest';
import { eventsUrls } from './links.js';

const topics = (count: number) =>
  Array.from({ length: count }, (_, n) => `camera=camera-with-a-name-of-some-length-${n}`);

it('hears of all cameras of an ordinary wall by one connection', () => {
  expect(eventsUrls(['camera=a', 'url=b'])).toEqual(['events?camera=a&url=b']);
  expect(eventsUrls(topics(250))).toHaveLength(1);
});

it('asks for no more at once than the API takes', () => {
  const urls = eventsUrls(topics(2000));
  expect(Math.max(...urls.map((url) => url.length))).toBeLessThan(14 * 1024);
  expect(urls.flatMap((url) => url.replace('events?', '').split('&'))).toEqual(topics(2000));
});

it('needs none for no camera', () => {
  expect(eventsUrls([])).toEqual([]);
});
