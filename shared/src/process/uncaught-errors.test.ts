import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { catchUncaught } from '../../../testing/checks/test-uncaught.ts';
import { createLog } from './log.ts';
import { surviveUncaughtErrors } from './uncaught-errors.ts';

function install() {
  catchUncaught();
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    process.removeAllListeners(event);
    onTestFinished(() => void process.removeAllListeners(event));
  }
  const log = createLog('test', 'silent');
  const deps = { log, count: vi.fn(), end: vi.fn() };
  const spies = { error: vi.spyOn(log, 'error'), fatal: vi.spyOn(log, 'fatal') };
  return { serving: surviveUncaughtErrors(deps), ...deps, ...spies };
}

const raise = (error: unknown) => process.emit('uncaughtException', error as Error);

describe('an uncaught error', () => {
  it('in a serving process is logged with its stack and counted, and the process continues', async () => {
    const { serving, count, end, error } = install();
    serving();
    const broken = new Error('broken');
    raise(broken);
    expect(error).toHaveBeenCalledExactlyOnceWith(
      { err: broken },
      'uncaught error; the process continues',
    );
    void Promise.reject(new Error('nobody waits for this'));
    await expect.poll(() => count.mock.calls.length).toBe(2);
    expect(end).not.toHaveBeenCalled();
  });

  it('is counted each time', () => {
    const { serving, count } = install();
    serving();
    for (let n = 0; n < 1000; n += 1) raise(new Error('broken'));
    expect(count).toHaveBeenCalledTimes(1000);
  });

  it.each([undefined, null, 'text', { toString: () => '' }, Object.create(null)])(
    'may be anything that can be thrown',
    (thrown) => {
      const { serving, end } = install();
      serving();
      raise(thrown);
      expect(end).not.toHaveBeenCalled();
    },
  );

  it('does not end the process even if it cannot be logged', () => {
    const { serving, end, error } = install();
    error.mockImplementation(() => {
      throw new Error('no log');
    });
    serving();
    raise(new Error('broken'));
    expect(end).not.toHaveBeenCalled();
  });

  it('ends a process that does not serve yet', () => {
    const { end, count, fatal } = install();
    raise(new Error('broken'));
    expect(end).toHaveBeenCalledOnce();
    expect(fatal).toHaveBeenCalledOnce();
    expect(count).not.toHaveBeenCalled();
  });

  it.each([
    new RangeError('Array buffer allocation failed'),
    Object.assign(new Error('x'), { code: 'ERR_MEMORY_ALLOCATION_FAILED' }),
  ])('ends the process when memory is short: %s', (short) => {
    const { serving, end } = install();
    serving();
    raise(short);
    expect(end).toHaveBeenCalledOnce();
  });
});
