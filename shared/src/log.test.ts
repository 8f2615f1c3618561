import { expect, it, vi } from 'vitest';
import { warnSparingly } from './log.ts';

it('warns of what happens again and again once a second, and tells the rest to who looks closer', () => {
  const log = { warn: vi.fn(), debug: vi.fn() };
  let nowMs = 0;
  const warn = warnSparingly(log, () => nowMs);
  for (nowMs = 0; nowMs <= 2000; nowMs += 100) warn({ atMs: nowMs }, 'news not sent');
  const times = (level: 'warn' | 'debug') => log[level].mock.calls.map(([{ atMs }]) => atMs);
  expect(times('warn')).toEqual([0, 1000, 2000]);
  expect(times('debug')).toHaveLength(18);
});
