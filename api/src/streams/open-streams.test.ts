import { expect, it, vi } from 'vitest';
import { catchUncaught } from '../../../testing/test-uncaught.ts';
import { createOpenStreams, type OpenStream, type OpenStreams } from './open-streams.ts';

const newStream = () => ({
  sendHeartbeat: vi.fn(),
  poll: vi.fn(),
  applyRules: vi.fn(),
  end: vi.fn(),
});

it.each([
  ['sendHeartbeats', 'sendHeartbeat'],
  ['poll', 'poll'],
  ['applyRules', 'applyRules'],
  ['close', 'end'],
] as const)('a stream that throws does not keep the others from %s', async (what, name) => {
  const uncaught = catchUncaught();
  const streams = createOpenStreams(10);
  const broken = newStream() satisfies OpenStream;
  const good = newStream();
  broken[name].mockImplementation(() => {
    throw new Error('broken');
  });
  streams.add(broken, 'a', 1);
  streams.add(good, 'b', 1);
  if (what === 'applyRules') streams.applyRules({} as never);
  else streams[what]();
  expect(good[name]).toHaveBeenCalledOnce();
  await vi.waitFor(() => expect(uncaught).toEqual([new Error('broken')]));
});

/** Opens as many as the client may have, each with so many cameras by URL. */
function openAll(streams: OpenStreams, client: string, urls: number): (() => void)[] {
  const removes: (() => void)[] = [];
  while (streams.fullFor(client, urls) === undefined)
    removes.push(streams.add(newStream(), client, urls));
  return removes;
}

it('one client can take half of all, and others still get theirs', () => {
  const streams = createOpenStreams(1000);
  expect(openAll(streams, 'greedy', 1)).toHaveLength(501);
  expect(streams.fullFor('greedy', 1)).toBe('client');
  expect(openAll(streams, 'second', 1)).toHaveLength(250);
});

it('one client can’t take half of all URLs by few streams with many of them', () => {
  const streams = createOpenStreams(1000);
  expect(openAll(streams, 'greedy', 64)).toHaveLength(23);
  expect(streams.fullFor('greedy', 64)).toBe('client');
  expect(streams.fullFor('greedy', 0)).toBeUndefined();
  expect(streams.fullFor('another', 64)).toBeUndefined();
});

it('few streams may show many URLs all the same', () => {
  const streams = createOpenStreams(2);
  expect(openAll(streams, 'a', 64)).toHaveLength(2);
});

it('a stream that is closed twice counts once', () => {
  const streams = createOpenStreams(2);
  const [close] = openAll(streams, 'a', 1);
  expect([streams.count(), streams.fullFor('b', 1)]).toEqual([2, 'all']);
  close?.();
  close?.();
  expect([streams.count(), streams.fullFor('b', 1)]).toEqual([1, undefined]);
});
