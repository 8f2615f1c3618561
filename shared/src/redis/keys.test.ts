import { expect, it } from 'vitest';
import { SHARDS, shardOf } from './cluster/shard.ts';
import { keysFor } from './keys.ts';

const { publish, channel, channels, ...keys } = keysFor('p');
const all = Object.values(keys).map((key) => (typeof key === 'string' ? key : key('abc')));
const CAMERA = 'a3f0';

it('begins every key and channel with the prefix and a colon', () => {
  const named = [...all, channel(CAMERA), ...channels(SHARDS)];
  expect(named.filter((key) => !key.startsWith('p:'))).toEqual([]);
});

it('uses a different key for each kind of data', () => {
  expect(new Set(all).size).toBe(all.length);
});

it("stays out of the queue's keys, except the lists of its jobs", () => {
  expect(all.filter((key) => key.startsWith('p:refresh:'))).toEqual([
    keys.queueWaiting,
    keys.queueActive,
  ]);
});

it('announces all cameras on one channel', () => {
  expect([publish, channel(CAMERA), channels(SHARDS)]).toEqual([
    'PUBLISH',
    'p:announcements',
    ['p:announcements'],
  ]);
});

it('on a Cluster announces each camera on a channel in the slot of its keys', () => {
  const sharded = keysFor('p', { sharded: true });
  const { frame, failure, health } = sharded;
  const tag = (key: string) => /\{(.*?)\}/.exec(key)?.[1];
  const named = [frame, failure, health, sharded.channel].map((name) => tag(name(CAMERA)));
  expect(named).toEqual(Array(4).fill(shardOf(CAMERA)));
  expect(sharded.publish).toBe('SPUBLISH');
  expect(sharded.channels(SHARDS)).toContain(sharded.channel(CAMERA));
  expect(sharded.channels(SHARDS)).toHaveLength(256);
});
