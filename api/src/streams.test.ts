import { catchUncaught } from '@lastframe/shared/test-uncaught';
import { expect, it, vi } from 'vitest';
import { createStreams, type OpenStream, type Streams } from './streams.ts';

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
    streams.add(broken, 'a');
    streams.add(good, 'b');
    if (what === 'follow') streams.follow({} as never);
    else streams[what]();
    expect(good[name]).toHaveBeenCalledOnce();
    await vi.waitFor(() => expect(uncaught).toEqual([new Error('broken')]));
  },
);

/** Opens as many as the client may have. */
function openAll(streams: Streams, client: string): (() => void)[] {
  const removes: (() => void)[] = [];
  while (streams.fullFor(client) === undefined) removes.push(streams.add(newStream(), client));
  return removes;
}

it('one client can take half of all, the next half of the rest, and others still get theirs', () => {
  const streams = createStreams(1000);
  expect(openAll(streams, 'greedy')).toHaveLength(501);
  expect(streams.fullFor('greedy')).toBe('client');
  expect(openAll(streams, 'second')).toHaveLength(250);
  for (let n = 0; n < 200; n += 1) {
    expect(streams.fullFor(`viewer-${n}`)).toBeUndefined();
    streams.add(newStream(), `viewer-${n}`);
  }
});

it('when none is left nobody gets one, until one is closed', () => {
  const streams = createStreams(2);
  const [close] = openAll(streams, 'a');
  expect([streams.count(), streams.fullFor('b')]).toEqual([2, 'all']);
  close?.();
  close?.(); // a second time counts for nothing
  expect([streams.count(), streams.fullFor('b')]).toEqual([1, undefined]);
});
