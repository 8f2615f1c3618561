import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testSource } from '../../../testing/test-camera.ts';
import {
  countByHealth,
  HEALTHS,
  type HealthFacts,
  healthOf,
  lateAfterMs,
} from './camera-health.ts';

const NOW = 1_790_000_000_000;
/** Interval 5 s, allowance 4 s, deadline 15 s. */
const source = testSource({ frozenAfterMs: 600_000 });

/** A frame captured that long ago by a call of 3 s, so that the camera is late after 13 s. */
function frame(capturedAgoMs: number, changedAgoMs = capturedAgoMs) {
  return {
    startedAtMs: NOW - capturedAgoMs - 3000,
    capturedAtMs: NOW - capturedAgoMs,
    changedAtMs: NOW - changedAgoMs,
  };
}
const failure = (lastAgoMs: number, over: Partial<HealthFacts['failure']> = {}) => ({
  sinceMs: NOW - lastAgoMs,
  lastMs: NOW - lastAgoMs,
  nextAtMs: NOW - lastAgoMs + 5000,
  reason: 'the camera responded with 500',
  ...over,
});
const asked = (forMs: number, leftMs = 10_000) => ({ fromMs: NOW - forMs, untilMs: NOW + leftMs });
const health = (facts: HealthFacts, nowMs = NOW) => healthOf(facts, source, nowMs);

describe('a camera is', () => {
  it('idle while nothing is known about it', () => {
    expect(health({})).toEqual({ health: 'idle' });
  });

  it('live since the start of its unbroken run of good frames', () => {
    const goodSinceMs = NOW - 3_600_000;
    expect(health({ frame: frame(2000), goodSinceMs })).toEqual({
      health: 'live',
      sinceMs: goodSinceMs,
    });
  });

  it('live by its frame alone, if the worker recorded nothing else', () => {
    expect(health({ frame: frame(2000) })).toEqual({ health: 'live', sinceMs: NOW - 2000 });
  });

  it('frozen once its bytes have been the same for long, from then on', () => {
    expect(health({ frame: frame(2000, 601_999) }).health).toBe('live');
    expect(health({ frame: frame(2000, 602_000) })).toEqual({
      health: 'frozen',
      sinceMs: NOW - 2000,
    });
  });

  it('live for as long as no new picture is expected, and late if the call after that is missing', () => {
    const lasting = { ...source, maxIntervalMs: 600_000 };
    const healthAfter = (capturedAgoMs: number) => {
      const facts = { frame: { ...frame(capturedAgoMs), freshForMs: 300_000 } };
      return healthOf({ ...facts, asked: asked(400_000) }, lasting, NOW).health;
    };
    // The fresh time, a call of 3 s, and an interval.
    expect(healthAfter(307_999)).toBe('live');
    expect(healthAfter(308_000)).toBe('late');
  });

  it('late soon after a viewer came back, however long its picture was expected to stay', () => {
    const lasting = { ...source, maxIntervalMs: 600_000 };
    const old = { frame: { ...frame(3_600_000), freshForMs: 600_000 } };
    expect(healthOf({ ...old, asked: asked(12_999) }, lasting, NOW).health).toBe('idle');
    expect(healthOf({ ...old, asked: asked(13_000) }, lasting, NOW).health).toBe('late');
  });

  it('never frozen for lack of requests', () => {
    expect(health({ frame: frame(700_000), asked: asked(1000) }).health).not.toBe('frozen');
  });

  it('never frozen if its source sets no limit', () => {
    const facts = { frame: frame(2000, 9e9) };
    expect(healthOf(facts, testSource(), NOW).health).toBe('live');
  });

  it('failing since its first failure, with the reason of the last', () => {
    const facts = { frame: frame(9000), failure: failure(1000, { sinceMs: NOW - 8000 }) };
    expect(health(facts)).toEqual({
      health: 'failing',
      sinceMs: NOW - 8000,
      reason: 'the camera responded with 500',
    });
    expect(health({ failure: failure(1000) }).health).toBe('failing');
  });

  it('failing while it may not be called again, however long that is', () => {
    const patient = failure(1_800_000, { nextAtMs: NOW + 1_800_000 });
    expect(health({ failure: patient }).health).toBe('failing');
  });

  it('failing while its next call may hang as long as the last, even if good calls were quick', () => {
    // It is called again 15 s after the failure, and that call may take 4 + 15 s.
    const hanging = failure(33_900, { nextAtMs: NOW - 33_900 + 15_000 });
    const facts = { frame: frame(60_000), failure: hanging, asked: asked(60_000) };
    expect(health(facts).health).toBe('failing');
  });

  it('live again after a good frame, even if the worker did not clear the failure', () => {
    expect(health({ frame: frame(1000), failure: failure(6000) }).health).toBe('live');
  });

  it('late when requested and its next frame is overdue, since then', () => {
    const facts = { frame: frame(14_000), asked: asked(20_000) };
    expect(health(facts)).toEqual({ health: 'late', sinceMs: NOW - 1000 });
    expect(health({ frame: frame(12_900), asked: asked(20_000) }).health).toBe('live');
  });

  it('late when it has never had a frame and no call can still be under way', () => {
    // 5 s of interval, 4 + 15 s for the call, 5 s of grace.
    expect(health({ asked: asked(28_900) }).health).toBe('idle');
    expect(health({ asked: asked(29_000) })).toEqual({ health: 'late', sinceMs: NOW });
  });

  it('late when it has failed and is not called again', () => {
    const facts = { failure: failure(40_000), asked: asked(60_000) };
    expect(health(facts).health).toBe('late');
  });

  it('not late as soon as an old frame is requested', () => {
    const facts = { frame: frame(3_600_000), asked: asked(1000) };
    expect(health(facts)).toEqual({ health: 'idle', sinceMs: NOW - 3_603_000 });
  });

  it('idle since its last request, if no unmet request is noted', () => {
    const facts = { frame: frame(15_400) };
    expect(health(facts).health).toBe('live'); // a note may still come
    expect(health({ frame: frame(15_600) })).toEqual({ health: 'idle', sinceMs: NOW - 18_600 });
    expect(health({ ...facts, asked: asked(60_000, -5000) })).toMatchObject({ health: 'live' });
    const longAgo = { frame: frame(99_000), asked: asked(60_000, -5000) };
    expect(health(longAgo)).toEqual({ health: 'idle', sinceMs: NOW - 5000 });
  });

  it('not late because of a note from before the clock was set back', () => {
    expect(health({ frame: frame(99_000), asked: asked(60_000, 3_600_000) }).health).toBe('idle');
  });
});

describe('a frame is late', () => {
  it('an interval after it was due, judging by the duration of the last call', () => {
    expect(lateAfterMs(3000, testSource({ intervalMs: 5000 }))).toBe(13_000);
    expect(lateAfterMs(3000, testSource({ intervalMs: 500 }))).toBe(5500); // 2 s at least
  });
});

it('a camera always has one health, which never begins in the future', () => {
  const ms = fc.integer({ min: -4e6, max: 0 }).map((ago) => NOW + ago);
  const times = fc.record({ startedAtMs: ms, capturedAtMs: ms, changedAtMs: ms });
  const bad = fc.record({ sinceMs: ms, lastMs: ms, nextAtMs: ms, reason: fc.constant('x') });
  const note = fc.record({ fromMs: ms, untilMs: fc.integer({ min: NOW - 9e4, max: NOW + 6e4 }) });
  const facts = fc.record(
    { frame: times, goodSinceMs: ms, failure: bad, asked: note },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(facts, (known) => {
      const state = health(known);
      expect(HEALTHS).toContain(state.health);
      expect(state.sinceMs ?? 0).toBeLessThanOrEqual(NOW);
      expect(state.reason !== undefined).toBe(state.health === 'failing');
    }),
  );
});

it('cameras are counted by their health', () => {
  expect(countByHealth(['live', 'late', 'live'])).toEqual({
    idle: 0,
    live: 2,
    late: 1,
    failing: 0,
    frozen: 0,
  });
});
