import { expect, it, vi } from 'vitest';
import { catchUncaught } from '../../../testing/checks/test-uncaught.ts';
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
] as const)('a stream that throws does not keep the others from %s', async (method, name) => {
  const uncaught = catchUncaught();
  const streams = createOpenStreams(10);
  const broken = newStream() satisfies OpenStream;
  const good = newStream();
  broken[name].mockImplementation(() => {
    throw new Error('broken');
  });
  streams.add(broken, 'a', 1);
  streams.add(good, 'b', 1);
  if (method === 'applyRules') streams.applyRules({} as never);
  else streams[method]();
  expect(good[name]).toHaveBeenCalledOnce();
  await vi.waitFor(() => expect(uncaught).toEqual([new Error('broken')]));
});

/** Opens as many streams as the client may have, each with `urls` cameras by URL. */
function openAll(streams: OpenStreams, client: string, urls: number): (() => void)[] {
  const closes: (() => void)[] = [];
  while (streams.limitReached(client, urls) === undefined)
    closes.push(streams.add(newStream(), client, urls));
  return closes;
}

it('one client can open half of all streams, and others still get theirs', () => {
  const streams = createOpenStreams(1000);
  expect(openAll(streams, 'greedy', 1)).toHaveLength(501);
  expect(streams.limitReached('greedy', 1)).toBe('client');
  expect(openAll(streams, 'second', 1)).toHaveLength(250);
});

it('one client cannot take half of all URLs with a few large streams', () => {
  const streams = createOpenStreams(1000);
  expect(openAll(streams, 'greedy', 64)).toHaveLength(23);
  expect(streams.limitReached('greedy', 64)).toBe('client');
  expect(streams.limitReached('greedy', 0)).toBeUndefined();
  expect(streams.limitReached('another', 64)).toBeUndefined();
});

it('a few streams may show many URLs', () => {
  const streams = createOpenStreams(2);
  expect(openAll(streams, 'a', 64)).toHaveLength(2);
});

it('closing a stream twice releases it once', () => {
  const streams = createOpenStreams(2);
  const [close] = openAll(streams, 'a', 1);
  expect([streams.count(), streams.limitReached('b', 1)]).toEqual([2, 'all']);
  close?.();
  close?.();
  expect([streams.count(), streams.limitReached('b', 1)]).toEqual([1, undefined]);
});
