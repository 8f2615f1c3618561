import { describe, expect, it } from 'vitest';
import { createLoginAttempts } from './login-attempts.ts';

function attempts() {
  let nowMs = 0;
  const all = createLoginAttempts(() => nowMs);
  return {
    ...all,
    hasWorked: () => all.hasWorked,
    wait: (ms: number) => {
      nowMs += ms;
    },
    /** Tries as often as allowed for some minutes; returns how often. */
    rejectFor: (minutes: number, cameraId = 'a') => {
      const endMs = nowMs + minutes * 60_000;
      let tries = 0;
      for (; nowMs < endMs; nowMs += 1000) {
        if (!all.begin(cameraId, 0)) continue;
        tries += 1;
        all.onRejected(cameraId, 'no');
      }
      return tries;
    },
  };
}

describe('a rejected login', () => {
  it('is tried twice at once, then after one minute, then every ten minutes', () => {
    const { rejectFor } = attempts();
    expect([0.9, 1, 9, 2, 8].map((minutes) => rejectFor(minutes))).toEqual([2, 1, 0, 1, 0]);
  });

  it('is paused for every camera of the origin, with the reason', () => {
    const { rejectFor, begin, whyPaused, wait } = attempts();
    expect(whyPaused('a')).toBeUndefined();
    rejectFor(0.5);
    expect(begin('b', 0)).toBe(false);
    expect(whyPaused('b')).toBe('no');
    wait(60_000);
    expect(whyPaused('b')).toBeUndefined();
    expect(begin('b', 0)).toBe(true);
    expect(begin('a', 0)).toBe(false);
  });

  it('is no longer paused once it works', () => {
    const { rejectFor, begin, onAccepted, whyPaused } = attempts();
    rejectFor(0.5);
    onAccepted('b');
    expect(whyPaused('a')).toBeUndefined();
    expect(begin('a', 0)).toBe(true);
  });

  it('of one camera is paused for that camera, if it works for another', () => {
    const { rejectFor, begin, onAccepted, whyPaused } = attempts();
    onAccepted('a');
    expect(rejectFor(30, 'b')).toBe(5);
    expect(begin('b', 0)).toBe(false);
    expect(whyPaused('b')).toBe('no');
    expect(begin('a', 0)).toBe(true);
    expect(whyPaused('a')).toBeUndefined();
  });

  it('of three cameras that worked is paused for all', () => {
    const { begin, onAccepted, onRejected, hasWorked } = attempts();
    for (const camera of ['a', 'b', 'c', 'd']) onAccepted(camera);
    for (const camera of ['a', 'b', 'c', 'c']) onRejected(camera, 'no');
    expect(hasWorked()).toBe(false);
    expect(begin('d', 0)).toBe(false);
  });

  it('of any number of made-up cameras is not paused for one that works', () => {
    const { begin, onAccepted, onRejected } = attempts();
    onAccepted('a');
    for (let n = 0; n < 3000; n += 1) onRejected(`made up ${n}`, 'no');
    expect(begin('a', 0)).toBe(true);
  });
});

describe('a login that was never accepted', () => {
  it('is tried by one camera at a time, until its call must be over', () => {
    const { begin, wait } = attempts();
    expect(begin('a', 5000)).toBe(true);
    expect(begin('b', 5000)).toBe(false);
    wait(5000);
    expect(begin('b', 5000)).toBe(true);
    expect(begin('a', 5000)).toBe(false);
  });

  it('may be tried again by the same camera, whose last call is over', () => {
    const { begin } = attempts();
    expect([begin('a', 5000), begin('a', 5000)]).toEqual([true, true]);
  });

  it.each(['onUnclear', 'onDoubt', 'onAccepted'] as const)('is free for others after %s', (end) => {
    const all = attempts();
    all.begin('a', 5000);
    all[end]('a', 1);
    expect(all.begin('b', 5000)).toBe(true);
  });

  it('is not free for others after an unclear response, if it was rejected twice before', () => {
    const { rejectFor, wait, begin, onUnclear } = attempts();
    rejectFor(0.5);
    wait(60_000);
    begin('a', 5000);
    onUnclear('a');
    expect(begin('b', 5000)).toBe(false);
  });
});

it('doubts end after so many in a row, for each camera', () => {
  const { onDoubt, onAccepted } = attempts();
  onAccepted('a');
  expect([onDoubt('a', 2), onDoubt('a', 2), onDoubt('a', 2)]).toEqual([true, true, false]);
  expect(onDoubt('b', 1)).toBe(true);
  onAccepted('a');
  expect(onDoubt('a', 1)).toBe(true);
  expect(onDoubt('a', 0)).toBe(false);
});
