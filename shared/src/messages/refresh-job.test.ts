import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bucketMsOf,
  refreshJobFor,
  refreshJobFormat,
  refreshJobId,
  refreshJobOptions,
} from './refresh-job.ts';

const cameraId = '0123456789abcdef0123456789abcdef';

describe('the bucket', () => {
  it.each([
    [1, 250],
    [249, 250],
    [250, 250],
    [1000, 1000],
    [5000, 5000],
    [5001, 5000],
    [3_600_000, 5000],
  ])('of an interval of %d ms is %d ms wide', (intervalMs, bucketMs) => {
    expect(bucketMsOf(intervalMs)).toBe(bucketMs);
  });
});

describe('the jobId', () => {
  it('is the same within a bucket of Redis time, and different in the next', () => {
    const idAt = (redisMs: number) => refreshJobId(cameraId, 5000, { redisMs, sinceMs: 0 });
    expect(idAt(10_000)).toBe(`${cameraId}-2`);
    expect(idAt(14_999)).toBe(idAt(10_000));
    expect(idAt(15_000)).not.toBe(idAt(14_999));
    expect(idAt(9999)).not.toBe(idAt(10_000));
  });

  it('differs when a time repeats after the clock was set back', () => {
    const idSince = (sinceMs: number) => refreshJobId(cameraId, 5000, { redisMs: 10_000, sinceMs });
    expect(new Set([0, 8000, 9000].map(idSince)).size).toBe(3);
  });

  it('is accepted by BullMQ: no colon, not an integer, no exponent', () => {
    const ids = fc.stringMatching(/^[0-9a-f]{32}$/);
    const times = fc.double({ min: 0, max: 4e12, noNaN: true });
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 1e9 }), times, (id, intervalMs, redisMs) => {
        const sinceMs = Math.floor(redisMs / 2);
        const jobId = refreshJobId(id, intervalMs, { redisMs, sinceMs });
        expect(jobId).toMatch(/^[0-9a-f]{32}-\d+(-\d+)?$/);
        expect(Number.isInteger(Number(jobId))).toBe(false);
      }),
    );
  });

  it('differs for any two times at least one bucket apart', () => {
    const times = fc.integer({ min: 0, max: 4e12 });
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 1e7 }), fc.nat(1000), (ms, intervalMs, more) => {
        const laterMs = ms + bucketMsOf(intervalMs) + more;
        const ids = [ms, laterMs].map((redisMs) =>
          refreshJobId(cameraId, intervalMs, { redisMs, sinceMs: 7 }),
        );
        expect(ids[0]).not.toBe(ids[1]);
      }),
    );
  });
});

describe('the payload', () => {
  it('contains version, camera, URL and the time of the request', () => {
    const job = refreshJobFor({ cameraId, url: 'http://cam.test/' }, 42);
    expect(job).toEqual({ v: 1, cameraId, url: 'http://cam.test/', askedAtMs: 42 });
    expect(refreshJobFormat.parse(JSON.parse(JSON.stringify(job)))).toEqual(job);
  });

  it('of a named camera contains its name and nothing of its URL', () => {
    const job = refreshJobFor({ cameraId, url: 'http://cam.test/secret', name: 'gate' }, 42);
    expect(job).toEqual({ v: 1, cameraId, name: 'gate', askedAtMs: 42 });
    expect(refreshJobFormat.parse(JSON.parse(JSON.stringify(job)))).toEqual(job);
  });

  it('may contain fields that this version does not know', () => {
    const job = refreshJobFor({ cameraId, url: 'http://cam.test/' }, 42);
    expect(refreshJobFormat.parse({ ...job, v: 2, colour: 'blue' })).toEqual({ ...job, v: 2 });
  });

  it.each([
    undefined,
    null,
    'text',
    {},
    { v: 1, cameraId: 'abc', url: 'http://cam.test/', askedAtMs: 1 },
    { v: 1, cameraId, askedAtMs: 1 },
    { v: 1, cameraId, url: 'http://cam.test/', askedAtMs: '1' },
  ])('is rejected when it is %j', (data) => expect(() => refreshJobFormat.parse(data)).toThrow());
});

it('is never retried by BullMQ, and a limited number of finished jobs is kept', () => {
  expect(refreshJobOptions.attempts).toBe(1);
  expect(refreshJobOptions.removeOnComplete).toEqual({ count: 1000 });
  expect(refreshJobOptions.removeOnFail).toEqual({ count: 1000 });
});
