import { expect, it } from 'vitest';
import { keysFor } from './keys.ts';

const keys = keysFor('p');
const all = Object.values(keys).map((key) => (typeof key === 'string' ? key : key('x')));

it('begins every key with the prefix and a colon', () => {
  expect(all.filter((key) => !key.startsWith('p:'))).toEqual([]);
});

it('gives each kind of thing a key of its own', () => {
  expect(new Set(all).size).toBe(all.length);
});

it('keeps out of the keys of the queue, but for the lists of its jobs', () => {
  expect(all.filter((key) => key.startsWith('p:refresh:'))).toEqual([
    keys.queueWaiting,
    keys.queueActive,
  ]);
});

it('keeps the frame and the failure of a camera in one slot of a cluster', () => {
  const tag = (key: string) => /\{(.*)\}/.exec(key)?.[1];
  expect([tag(keys.frame('abc')), tag(keys.failure('abc'))]).toEqual(['abc', 'abc']);
});

it('keeps the whole queue side in one slot when the prefix is a hash tag', () => {
  const tagged = keysFor('{p}');
  const queueSide = [tagged.epoch, tagged.workerAlive, tagged.queueWaiting, tagged.rate('s')];
  const perCamera = ['permit', 'backoff', 'failures', 'turn'] as const;
  queueSide.push(...perCamera.map((kind) => tagged[kind]('x')), tagged.calls('s'));
  expect(queueSide.filter((key) => !key.startsWith('{p}:'))).toEqual([]);
});
