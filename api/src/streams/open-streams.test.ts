import { expect, it, vi } from 'vitest';
import { catchUncaught } from '../../../testing/test-uncaught.ts';
import { createStreams, type OpenStream, type Streams } from './open-streams.ts';

const newStream = () => ({ beat: vi.fn(), look: vi.fn(), follow: vi.fn(), end: vi.fn() });

it.each(['beat', 'look', 'follow', 'close'] as const)(
  'a stream that throws keeps no other one from its %s',
  async (what) => {
    const uncaught = catchUncaught();
    const streams = createStreams(10);
    const broken = newStream() satisfies OpenStream;
    const good = newStream();
    const name = what === 'close' ? 'end' : what;
    broken[name].mockImplementation(() => {
      throw new Error('broken');
    });
    streams.add(broken, 'a', 1);
    streams.add(good, 'b', 1);
    if (what === 'follow') streams.follow({} as never);
    else streams[what]();
    expect(good[name]).toHaveBeenCalledOnce();
    await vi.waitFor(() => expect(uncaught).toEqual([new Error('broken')]));
  },
);

/** Opens as many as the client may have, each with so many cameras by URL. */
function openAll(streams: Streams, client: string, urls: number): (() => void)[] {
  const removes: (() => void)[] = [];
  while (streams.fullFor(client, urls) === undefined)
    removes.push(streams.add(newStream(), client, urls));
  return removes;
}

it('one client can take half of all, and others still get theirs', () => {
  const streams = createStreams(1000);
  expect(openAll(streams, 'greedy', 1)).toHaveLength(501);
  expect(streams.fullFor('greedy', 1)).toBe('client');
  expect(openAll(streams, 'second', 1)).toHaveLength(250);
});

it('one client can’t take half of all URLs by few streams with many of them', () => {
  const streams = createStreams(1000);
  expect(openAll(streams, 'greedy', 64)).toHaveLength(23);
  expect(streams.fullFor('greedy', 64)).toBe('client');
  expect(streams.fullFor('greedy', 0)).toBeUndefined();
  expect(streams.fullFor('another', 64)).toBeUndefined();
});

it('few streams may show many URLs all the same', () => {
  const streams = createStreams(2);
  expect(openAll(streams, 'a', 64)).toHaveLength(2);
});

it('a stream that is closed twice counts once', () => {
  const streams = createStreams(2);
  const [close] = openAll(streams, 'a', 1);
  expect([streams.count(), streams.fullFor('b', 1)]).toEqual([2, 'all']);
  close?.();
  close?.();
  expect([streams.count(), streams.fullFor('b', 1)]).toEqual([1, undefined]);
});
