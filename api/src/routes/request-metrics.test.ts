import { createMetrics } from '@lastframe/shared/telemetry/metrics';
import { describe, expect, it } from 'vitest';
import type { HeldFrame } from '../cache/held-frame.ts';
import { createResponseMetrics, outcomeOf } from './request-metrics.ts';

const source = {
  intervalMs: 5000,
  maxIntervalMs: 60_000,
  timeoutMs: 15_000,
  startAllowanceMs: 4000,
};
/** Its call was sent at 1000 and took a second: late from 2000 + 5000 + 1000 + 5000 on. */
const held = {
  startedMonoMs: 1000,
  capturedMonoMs: 2000,
  camera: { source },
} as unknown as HeldFrame;

describe('a response is', () => {
  it.each([
    ['fresh', 5999],
    ['stale', 6000],
    ['stale', 12_999],
    ['late', 13_000],
  ])('%s when its frame is served at %i', (outcome, nowMonoMs) => {
    expect(outcomeOf({ status: 200, held }, nowMonoMs)).toBe(outcome);
    expect(outcomeOf({ status: 304, held, origin: 'redis' }, nowMonoMs)).toBe(outcome);
  });

  it.each([
    ['fresh', 30_999],
    ['stale', 31_000],
    ['stale', 37_999],
    ['late', 38_000],
  ])('%s when a frame expected to stay for 30 s is served at %i', (outcome, nowMonoMs) => {
    const lasting = { ...held, freshForMs: 30_000 };
    expect(outcomeOf({ status: 200, held: lasting }, nowMonoMs)).toBe(outcome);
  });

  it.each(['stored', 'collapsed'] as const)('waited for when its frame was %s', (origin) => {
    expect(outcomeOf({ status: 200, held, origin }, 2000)).toBe('waited');
  });

  it.each([
    ['failed', 502],
    ['failed', 503],
    ['refused', 404],
    ['refused', 400],
    ['other', 200],
    ['other', 204],
  ])('%s with %i and no frame', (outcome, status) => {
    expect(outcomeOf({ status }, 0)).toBe(outcome);
  });

  it('refused when its frame does not contain the range', () => {
    expect(outcomeOf({ status: 416, held }, 2000)).toBe('refused');
  });
});

describe('the count', () => {
  const start = () => {
    const metrics = createMetrics('api');
    return { metrics, onAnswered: createResponseMetrics({ monoMs: () => 4500 }, metrics) };
  };

  it('has a series per outcome and status seen, and the age of frames served at once', async () => {
    const { metrics, onAnswered } = start();
    onAnswered({ status: 200, held });
    onAnswered({ status: 200, held, origin: 'memory' });
    onAnswered({ status: 304, held });
    onAnswered({ status: 200, held, origin: 'stored' });
    onAnswered({ status: 404 });
    const text = await metrics.text();
    expect(text).toContain('lastframe_requests_total{outcome="fresh",status="200"} 2\n');
    expect(text).toContain('lastframe_requests_total{outcome="fresh",status="304"} 1\n');
    expect(text).toContain('lastframe_requests_total{outcome="waited",status="200"} 1\n');
    expect(text).toContain('lastframe_requests_total{outcome="refused",status="404"} 1\n');
    expect(text).toContain('lastframe_requests_total{outcome="failed",status="503"} 0\n');
    expect(text).toContain('lastframe_hit_age_seconds_count 3\n');
    expect(text).toContain('lastframe_hit_age_seconds_sum 7.5\n');
  });

  it('is cheap enough for every hit of the fast path', () => {
    const { onAnswered } = start();
    const hits = 200_000;
    const beganMs = performance.now();
    for (let n = 0; n < hits; n += 1) onAnswered({ status: 200, held });
    // About 0.2 µs. Ten times as much is a busy machine, a hundred times a bug.
    expect((performance.now() - beganMs) / hits).toBeLessThan(0.02);
  });
});
