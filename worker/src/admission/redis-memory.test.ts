import { describe, expect, it, vi } from 'vitest';
import { createRedisMemory, usedShareOf } from './redis-memory.ts';

const info = (used: number, over: Record<string, string | number> = {}) =>
  Object.entries({
    used_memory: used,
    maxmemory: 1000,
    maxmemory_policy: 'noeviction',
    mem_not_counted_for_evict: 0,
    ...over,
  })
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join('');

describe('the share of its memory that a Redis uses', () => {
  it('leaves out memory that Redis itself does not count', () => {
    expect(usedShareOf(info(750, { mem_not_counted_for_evict: 50 }))).toBe(0.7);
  });

  it('is unknown without a limit, with eviction, and without figures', () => {
    expect(usedShareOf(info(900, { maxmemory: 0 }))).toBeUndefined();
    expect(usedShareOf(info(900, { maxmemory_policy: 'allkeys-lru' }))).toBeUndefined();
    expect(usedShareOf('')).toBeUndefined();
  });
});

function memoryOf(...texts: string[]) {
  const log = { info: vi.fn(), warn: vi.fn() };
  const links = texts.map((_, n) => ({
    isReady: true,
    run: async () => texts[n] as never,
  }));
  return { log, texts, links, memory: createRedisMemory(() => links, log) };
}

it('explains what is rejected, and logs each change once', async () => {
  const { memory, texts, log } = memoryOf(info(700));
  const reasonsAt = async (used: number) => {
    texts[0] = info(used);
    await memory.poll();
    await memory.poll();
    return [memory.isFull(), memory.whyNewRejected(), memory.whyLargerRejected()];
  };
  expect(await reasonsAt(700)).toEqual([false, undefined, undefined]);
  expect(await reasonsAt(850)).toEqual([true, expect.stringContaining('85 %'), undefined]);
  expect(await reasonsAt(950)).toEqual([
    true,
    expect.stringContaining('first frame'),
    expect.stringContaining('frames can no longer grow'),
  ]);
  expect(await reasonsAt(600)).toEqual([false, undefined, undefined]);
  expect([log.warn.mock.calls.length, log.info.mock.calls.length]).toEqual([1, 1]);
});

it('uses the share of the fullest server that it can reach', async () => {
  const { memory, links } = memoryOf(info(100), info(800), info(950));
  const [, , last] = links;
  if (last) last.isReady = false;
  await memory.poll();
  expect(memory.usedShare()).toBe(0.8);
});
