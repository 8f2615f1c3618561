import { catchUncaught } from '@lastframe/shared/test-uncaught';
import { expect, it, vi } from 'vitest';
import type { OpenStream } from './streams.ts';
import { createStreams } from './streams.ts';

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
    streams.add(broken);
    streams.add(good);
    if (what === 'follow') streams.follow({} as never);
    else streams[what]();
    expect(good[name]).toHaveBeenCalledOnce();
    await vi.waitFor(() => expect(uncaught).toEqual([new Error('broken')]));
  },
);
