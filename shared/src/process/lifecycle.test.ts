import { expect, it, onTestFinished, vi } from 'vitest';
import { runSteps } from './lifecycle.ts';
import { createLog } from './log.ts';

const log = createLog('test', 'silent');
const graceMs = 1000;

it('closes one step after the other, in order', async () => {
  const done: string[] = [];
  const slow = Promise.withResolvers<void>();
  const steps = [
    { name: 'first', graceMs, close: () => slow.promise.then(() => done.push('first')) },
    { name: 'second', graceMs, close: async () => done.push('second') },
  ];
  const all = runSteps(log, steps);
  await new Promise(setImmediate);
  expect(done).toEqual([]);
  slow.resolve();
  await all;
  expect(done).toEqual(['first', 'second']);
});

it.each([
  ['rejects', () => Promise.reject(new Error('broken'))],
  [
    'throws',
    () => {
      throw new Error('broken');
    },
  ],
])('logs a step that %s, and continues', async (_, close) => {
  const warn = vi.spyOn(log, 'warn');
  onTestFinished(() => warn.mockRestore());
  const next = vi.fn(async () => {});
  await runSteps(log, [
    { name: 'bad', graceMs, close },
    { name: 'next', graceMs, close: next },
  ]);
  expect(next).toHaveBeenCalledOnce();
  expect(warn).toHaveBeenCalledExactlyOnceWith(
    { step: 'bad', reason: 'broken' },
    'closing step failed',
  );
});

it('abandons a step that hangs when its grace period ends, not before', async () => {
  vi.useFakeTimers();
  try {
    const next = vi.fn(async () => {});
    const all = runSteps(log, [
      { name: 'hangs', graceMs: 5000, close: () => new Promise(() => {}) },
      { name: 'next', graceMs, close: next },
    ]);
    await vi.advanceTimersByTimeAsync(4999);
    expect(next).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(next).toHaveBeenCalledOnce();
    await all;
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
