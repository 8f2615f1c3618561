import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testClock } from '../test-support/parts.ts';
import { createJobLine, type DueCamera, type Turn } from './job-line.ts';

const FIRST_WINDOW = 64;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

/** A line, and those whose turn has come, in order. */
function lineParts() {
  const line = createJobLine(testClock);
  const order: string[] = [];
  const turns: Turn[] = [];
  const enter = (name: string, camera: Partial<DueCamera> = {}) => {
    const entered = { source: 'a', isNew: false, dueMonoMs: testClock.monoMs(), ...camera };
    void line.enter(entered).then((turn) => {
      order.push(name);
      turns.push(turn);
    });
  };
  const fill = () => {
    for (let n = 0; n < FIRST_WINDOW; n += 1) enter('filler', { source: 'filler' });
  };
  /** Ends the oldest turns, as when workers have taken their jobs. */
  const endTurns = async (count: number, queuedMs?: number) => {
    await vi.advanceTimersByTimeAsync(0);
    for (const turn of turns.splice(0, count)) turn.end(queuedMs);
    await vi.advanceTimersByTimeAsync(0);
    return order.filter((name) => name !== 'filler');
  };
  return { line, enter, fill, endTurns, order, turns };
}

describe('the order of turns', () => {
  it('is at once while workers keep up', async () => {
    const { enter, order } = lineParts();
    for (const name of ['a', 'b', 'c']) enter(name);
    await vi.advanceTimersByTimeAsync(0);
    expect(order).toEqual(['a', 'b', 'c']);
  });

  it('begins with the camera that has been due for longest', async () => {
    const { enter, fill, endTurns } = lineParts();
    fill();
    for (const dueMonoMs of [300, 100, 200, 400, 100]) enter(String(dueMonoMs), { dueMonoMs });
    expect(await endTurns(5)).toEqual(['100', '100', '200', '300', '400']);
  });

  it('gives one source after the other a turn, however many cameras wait', async () => {
    const { enter, fill, endTurns } = lineParts();
    fill();
    for (let n = 0; n < 50; n += 1) enter('many', { source: 'many', dueMonoMs: 0 });
    enter('one', { source: 'one', dueMonoMs: 1000 });
    enter('two', { source: 'two', dueMonoMs: 1000 });
    expect(await endTurns(4)).toEqual(['many', 'one', 'two', 'many']);
  });

  it('puts new cameras last, with one turn in five', async () => {
    const { enter, fill, endTurns } = lineParts();
    fill();
    for (let n = 0; n < 100; n += 1) enter('new', { isNew: true, dueMonoMs: 0 });
    for (let n = 0; n < 100; n += 1) enter('watched');
    const names = await endTurns(50);
    expect(names).toHaveLength(50);
    expect(names.filter((name) => name === 'new')).toHaveLength(10);
  });

  it('leaves all turns to new cameras when no other is due', async () => {
    const { enter, fill, endTurns } = lineParts();
    fill();
    for (let n = 0; n < 20; n += 1) enter('new', { isNew: true });
    expect(await endTurns(20)).toHaveLength(20);
  });
});

describe('the number of turns', () => {
  /** Lets workers take jobs for a while, each after so long in the queue; returns the turns open. */
  async function turnsAfter(queuedMs: number, jobs = 20_000): Promise<number> {
    const { enter, endTurns, order } = lineParts();
    for (let n = 0; n < jobs; n += 1) enter('camera');
    let ended = 0;
    while (order.length < jobs - 2000) {
      await vi.advanceTimersByTimeAsync(queuedMs);
      const open = order.length - ended;
      ended += open;
      await endTurns(open, queuedMs);
      if (queuedMs > 250 && order.length - ended <= 2) break;
    }
    return order.length - ended;
  }

  it('grows while workers take jobs soon', async () => {
    expect(await turnsAfter(20)).toBe(1000);
  });

  it('shrinks to a few while jobs wait for long', async () => {
    expect(await turnsAfter(2000)).toBe(2);
  });

  it('does not grow while fewer cameras are due', async () => {
    const { enter, endTurns, fill, order } = lineParts();
    for (let n = 0; n < 1000; n += 1) {
      enter('camera');
      await endTurns(1, 1);
    }
    fill();
    for (let n = 0; n < 10; n += 1) enter('late');
    await vi.advanceTimersByTimeAsync(0);
    expect(order.filter((name) => name === 'late')).toEqual([]);
  });

  it('no longer counts jobs of which nothing was heard', async () => {
    const { enter, fill, order } = lineParts();
    fill();
    await vi.advanceTimersByTimeAsync(1000);
    enter('waiting');
    await vi.advanceTimersByTimeAsync(3999);
    expect(order).not.toContain('waiting');
    await vi.advanceTimersByTimeAsync(2);
    expect(order).toContain('waiting');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a source that has its share of the workers', () => {
  it('pauses, and others do not', async () => {
    const { enter, endTurns, turns, order } = lineParts();
    for (let n = 0; n < FIRST_WINDOW; n += 1) enter('greedy', { source: 'greedy' });
    for (let n = 0; n < 100; n += 1) enter('greedy', { source: 'greedy' });
    await vi.advanceTimersByTimeAsync(0);
    for (const turn of turns.splice(0, 20)) turn.refuse(250);
    enter('other', { source: 'other', dueMonoMs: testClock.monoMs() + 1000 });
    await vi.advanceTimersByTimeAsync(249);
    expect(order.filter((name) => name === 'greedy')).toHaveLength(FIRST_WINDOW);
    expect(order).toContain('other');
    await endTurns(100);
    await vi.advanceTimersByTimeAsync(1);
    expect(order.filter((name) => name === 'greedy')).toHaveLength(FIRST_WINDOW + 32);
  });

  it('gets more turns again with each job that is taken', async () => {
    const { enter, endTurns, turns, order } = lineParts();
    for (let n = 0; n < 1000; n += 1) enter('greedy', { source: 'greedy' });
    await vi.advanceTimersByTimeAsync(0);
    for (const turn of turns.splice(0)) turn.refuse(250);
    await vi.advanceTimersByTimeAsync(250);
    const before = order.length;
    expect(before).toBe(FIRST_WINDOW + 32);
    await endTurns(10, 1);
    expect(order.length - before).toBe(20);
  });

  it('may have its first calls refused and its refreshes not', async () => {
    const { enter, turns, order } = lineParts();
    enter('first', { isNew: true });
    await vi.advanceTimersByTimeAsync(0);
    turns[0]?.refuse(250);
    enter('second', { isNew: true });
    enter('refresh');
    await vi.advanceTimersByTimeAsync(0);
    expect(order).toEqual(['first', 'refresh']);
    await vi.advanceTimersByTimeAsync(250);
    expect(order).toEqual(['first', 'refresh', 'second']);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('what the line knows', () => {
  it('for how long the first camera has been due', async () => {
    const { line, enter, fill, endTurns } = lineParts();
    expect(line.behindMs()).toBe(0);
    fill();
    enter('b', { source: 'b' });
    await vi.advanceTimersByTimeAsync(1000);
    enter('c', { source: 'c' });
    enter('new', { isNew: true, dueMonoMs: 0 });
    expect(line.behindMs()).toBe(1000);
    expect([line.size('refresh'), line.size('first call')]).toEqual([2, 1]);
    await endTurns(3, 1);
    expect(line.behindMs()).toBe(0);
  });

  it('how long a new camera would wait, by the pace of the last ones', async () => {
    const { line, enter, fill, endTurns } = lineParts();
    fill();
    for (let n = 0; n < 50; n += 1) enter('new', { isNew: true });
    for (let n = 0; n < 30; n += 1) {
      await vi.advanceTimersByTimeAsync(100);
      await endTurns(1);
    }
    expect(line.size('first call')).toBe(20);
    expect(line.newCameraWaitMs()).toBeCloseTo(2000, -1);
    await endTurns(1000);
    expect(line.newCameraWaitMs()).toBe(0);
  });
});

it('a closed line leaves no timer', async () => {
  const { line, enter, fill } = lineParts();
  fill();
  enter('waiting');
  await vi.advanceTimersByTimeAsync(0);
  line.close();
  expect(vi.getTimerCount()).toBe(0);
});
