import { permitLifeMs, spacingMs } from '@lastframe/shared/cameras/spacing';
import { UrlPattern } from '@lastframe/shared/cameras/url-pattern';
import { etagOf } from '@lastframe/shared/http/etag';
import type { Denial } from '@lastframe/shared/messages/announcement';
import { describe, expect, it } from 'vitest';
import type { TakeResult } from '../permit/permits.ts';
import { noHints } from '../test-support/cameras.ts';
import { captured, refreshBench } from '../test-support/refresh-bench.ts';
import { refresh } from './refresh.ts';

const denial = (reason: Denial, waitMs: number): TakeResult => ({
  outcome: 'denied',
  reason,
  waitMs,
});

/** Runs a job and returns its outcome as the dashboard shows it. */
const textAfter = async (...args: Parameters<typeof refresh>) => (await refresh(...args)).text;

describe('a job', () => {
  it('L9: is dropped when it was requested over a minute ago', async () => {
    const { deps, job, did, control } = refreshBench();
    control.redisNowMs = job.askedAtMs + 60_001;
    expect(await textAfter(job, deps)).toBe('dropped: requested too long ago');
    expect(did).toEqual([]);
  });

  it('L9: runs when it was requested a minute ago, or its age is unknown', async () => {
    for (const redisNowMs of [1_059_000, undefined]) {
      const { deps, job, control } = refreshBench();
      control.redisNowMs = redisNowMs;
      expect(await textAfter(job, deps)).toBe('captured');
    }
  });

  it.each([
    ['when its id does not match its URL', { cameraId: '0'.repeat(32) }],
    ['when its URL is that of another camera', { url: 'http://camera.test/b' }],
    ['when its URL is invalid', { url: 'nonsense' }],
    ['when its URL has credentials', { url: 'http://user:secret@camera.test/a' }],
    ['when its URL is that of a file', { url: 'file:///etc/passwd' }],
  ])('S10: is rejected without a call %s', async (_, differences) => {
    const { deps, job, did } = refreshBench();
    expect(await textAfter({ ...job, ...differences }, deps)).toBe('failed: not allowed');
    expect(did).toEqual(['rejected']);
  });

  it('S10: is rejected when its id comes from another query policy', async () => {
    const { deps, job, did } = refreshBench({ query: 'strip' });
    const url = `${job.url}?size=1`;
    expect(await textAfter({ ...job, url, cameraId: '0'.repeat(32) }, deps)).toContain('failed');
    expect(did).toEqual(['rejected']);
  });

  it('S10: is rejected when no source of this worker allows it', async () => {
    const { deps, job, did } = refreshBench({
      pattern: new UrlPattern('http://other.test/*'),
    });
    expect(await textAfter(job, deps)).toContain('failed');
    expect(did).toEqual(['rejected']);
  });
});

describe('a new camera that is not admitted', () => {
  it('is not called and takes no permit, and its clients are notified why', async () => {
    for (const reason of ['places', 'memory'] as const) {
      const { deps, job, did, told, control } = refreshBench();
      control.admission = { outcome: 'rejected', reason, waitMs: 10_000 };
      expect(await textAfter(job, deps)).toBe(`denied: ${reason}`);
      expect(did).toEqual(['wait']);
      expect(told).toEqual([{ what: 'wait', reason, inMs: 10_000 }]);
    }
  });

  it('is not called either when admission is unknown', async () => {
    const { deps, job, did, control } = refreshBench();
    control.admission = { outcome: 'unknown', reason: 'Redis is away' };
    expect(await textAfter(job, deps)).toBe('denied: Redis is away');
    expect(did).toEqual([]);
  });
});

describe('a frame for which Redis has no memory', () => {
  it('is not a failure of the camera; a new camera gives up its place, and its clients are notified', async () => {
    const { deps, job, did, told, control } = refreshBench();
    control.stored = async () => 'no room';
    expect(await textAfter(job, deps)).toMatch(/^failed: frame not stored: .*new cameras/);
    expect(did.slice(-3)).toEqual(['no room', 'release place', 'wait']);
    expect(told.at(-1)).toMatchObject({ reason: 'memory', inMs: 10_000 });
  });

  it('leaves the camera its place when it is only larger than the last', async () => {
    const { deps, job, did, told, control } = refreshBench();
    control.stored = async () => 'no room to grow';
    expect(await textAfter(job, deps)).toMatch(/^failed: frame not stored: .*larger than the last/);
    expect(did).not.toContain('release place');
    expect(told.at(-1)).toMatchObject({ what: 'wait', reason: 'spaced' });
  });
});

it('a source that has its share of the worker waits a moment, without a permit', async () => {
  const { deps, job, control, did, told } = refreshBench();
  control.hasShare = false;
  expect(await textAfter(job, deps)).toBe('denied: share');
  expect(did).toEqual(['wait']);
  expect(told).toEqual([{ what: 'wait', reason: 'share', inMs: 250 }]);
});

describe('a redirect', () => {
  const redirected = (location: string) =>
    ({ outcome: 'redirected', statusCode: 302, location }) as const;
  const target = { url: 'http://camera.test/dated.jpg', hops: 1, isPermanent: false };

  it('is remembered for the next call, which waits for its own permit', async () => {
    const { deps, job, control, did, ends, told } = refreshBench({ redirects: 'same-host' });
    control.capture = redirected('/dated.jpg');
    expect(await textAfter(job, deps)).toMatch(/redirected; the next call/);
    expect(did).toEqual(['take', 'connect', 'send', 'started', 'redirect', 'finish', 'wait']);
    expect(told).toContainEqual({ what: 'redirect', target });
    expect(told.at(-1)).toMatchObject({ what: 'wait', reason: 'spaced', inMs: 4000 });
    expect(ends[0]).toMatchObject({ verdict: 'none' });
    expect(ends[0]?.restMs).toBeGreaterThan(3000);
  });

  it('is a failure that names its target when its source does not allow it', async () => {
    const { deps, job, control, told } = refreshBench();
    control.capture = redirected('/dated.jpg');
    await refresh(job, deps);
    const reason = expect.stringContaining('a redirect to http://camera.test/dated.jpg');
    expect(told.at(-1)).toMatchObject({ what: 'failure', failure: { status: 502, reason } });
  });

  it("leads to a call of its target with the camera's permit and one of its own", async () => {
    const { deps, job, control, did, ends, told } = refreshBench({ redirects: 'same-host' });
    control.redirect = target;
    expect(await textAfter(job, deps)).toBe('captured');
    expect(did).toEqual([
      ...['take', 'take', 'connect', 'send', 'started'],
      ...['forget redirect', 'finish', 'finish', 'frame'],
    ]);
    expect(told[0]).toMatchObject({ what: 'connect', url: target.url });
    expect(ends.map(({ verdict }) => verdict)).toEqual(['ok', 'ok']);
  });

  it('stays in force after a permanent one, until its target fails', async () => {
    const { deps, job, control, did } = refreshBench({ redirects: 'same-host' });
    control.redirect = { ...target, isPermanent: true };
    expect(await textAfter(job, deps)).toBe('captured');
    expect(did).not.toContain('forget redirect');
    control.capture = { outcome: 'failed', status: 502, reason: 'gone' };
    expect(await textAfter(job, deps)).toBe('failed: gone');
    expect(did).toContain('forget redirect');
  });

  it('is forgotten when there is no connection to its target', async () => {
    const { deps, job, control, did } = refreshBench({ redirects: 'same-host' });
    control.redirect = { ...target, isPermanent: true };
    control.prepared = { outcome: 'failed', status: 502, reason: 'refused' };
    expect(await textAfter(job, deps)).toBe('failed: refused');
    expect(did).toContain('forget redirect');
  });

  it.each([
    ['spaced', 'spaced'],
    ['budget', 'budget'],
    // The end of somebody else's call would not be announced for this camera.
    ['busy', 'spaced'],
  ] as const)('releases its permit when that of its target is denied as %s', async (why, told) => {
    const bench = refreshBench({ redirects: 'same-host', intervalMs: 1000 });
    const { deps, job, control, did, ends } = bench;
    control.redirect = target;
    control.takes = [await deps.permits.take(bench.camera), denial(why, 3000)];
    did.length = 0;
    expect(await textAfter(job, deps)).toBe(`denied: ${told}`);
    expect(did).toEqual(['take', 'take', 'finish', 'wait']);
    expect(ends).toEqual([{ verdict: 'none', restMs: 0 }]);
    const inMs = why === 'busy' ? spacingMs(bench.camera.source) : 3000;
    expect(bench.told.at(-1)).toEqual({ what: 'wait', reason: told, inMs });
  });

  it('waits in the job for a target that others have called, but not for long', async () => {
    for (const [waitMs, outcome] of [
      [2000, 'captured'],
      [2001, 'denied: spaced'],
    ] as const) {
      const bench = refreshBench({ redirects: 'same-host' });
      const { deps, job, control } = bench;
      control.redirect = target;
      control.takes = [await deps.permits.take(bench.camera), denial('spaced', waitMs)];
      expect(await textAfter(job, deps)).toBe(outcome);
    }
  });

  it('asks its target for the whole image, whose validators belong to another URL', async () => {
    for (const isPermanent of [false, true]) {
      const bench = refreshBench({ redirects: 'same-host' });
      const { deps, job, control, told } = bench;
      const validators = { etag: '"a"' };
      control.known = { etag: '"sha256-1"', validators };
      control.redirect = { ...target, isPermanent };
      control.capture = { ...captured, validators };
      expect(await textAfter(job, deps)).toBe('captured');
      expect(told[0]).toMatchObject({ what: 'connect' });
      expect('validators' in (told[0] ?? {})).toBe(isPermanent);
      const stored = told.find(({ what }) => what === 'frame');
      expect(stored).toMatchObject({
        frame: { validators: isPermanent ? validators : undefined },
      });
    }
  });

  it('is not called when no source allows its target any more', async () => {
    const { deps, job, control, told } = refreshBench({
      redirects: 'same-host',
      pattern: new UrlPattern('http://camera.test/a'),
    });
    control.redirect = target;
    expect(await textAfter(job, deps)).toBe('captured');
    expect(told[0]).toMatchObject({ what: 'connect', url: job.url });
  });
});

describe('a picture that says "not available"', () => {
  it('is a failure, and never replaces a frame', async () => {
    const placeholders = [etagOf(captured.bytes)];
    const { deps, job, did, ends, told } = refreshBench({ placeholders });
    expect(await textAfter(job, deps)).toMatch(/placeholders/);
    expect(did).not.toContain('frame');
    expect(ends[0]).toMatchObject({ verdict: 'fail' });
    expect(told.at(-1)).toMatchObject({ what: 'failure', failure: { receivedStatus: 200 } });
  });
});

describe('a camera that rejects a conditional call', () => {
  it('is not failing, and its clients wait for the next call, without a condition', async () => {
    const { deps, job, control, did, ends, told } = refreshBench();
    control.known = { etag: '"sha256-1"', validators: { etag: '"a"' } };
    const { capture } = control;
    control.capture = { outcome: 'failed', status: 502, reason: 'x', receivedStatus: 412 };
    expect(await textAfter(job, deps)).toMatch(/rejected a conditional request/);
    expect(did).not.toContain('failure');
    expect(ends[0]).toMatchObject({ verdict: 'none' });
    expect(told.at(-1)).toMatchObject({ what: 'wait', reason: 'spaced' });
    control.capture = capture;
    expect(await textAfter(job, deps)).toBe('captured');
    const connects = told.filter(({ what }) => what === 'connect');
    expect(connects.map((connect) => 'validators' in connect)).toEqual([true, false]);
  });
});

describe('a denied permit', () => {
  it('is announced when the wait is long, and ends the job', async () => {
    for (const reason of ['hold', 'backoff', 'busy', 'spaced', 'budget'] as const) {
      const { deps, job, control, did, told } = refreshBench();
      control.takes = [denial(reason, 2001)];
      expect(await textAfter(job, deps)).toBe(`denied: ${reason}`);
      expect(did).toEqual(['take', 'wait']);
      expect(told).toEqual([{ what: 'wait', reason, inMs: 2001 }]);
    }
  });

  it.each(['spaced', 'budget'] as const)(
    'is waited for in the job when denied as %s for a moment',
    async (reason) => {
      const { deps, job, control, did, clock } = refreshBench();
      control.takes = [denial(reason, 2000)];
      expect(await textAfter(job, deps)).toBe('captured');
      expect(did.slice(0, 5)).toEqual(['take', 'slot', 'release', 'take', 'connect']);
      expect(clock.sleeps).toEqual([2001]);
    },
  );

  it.each(['busy', 'backoff', 'hold'] as const)('is never waited for as %s', async (reason) => {
    const { deps, job, control, clock } = refreshBench();
    control.takes = [denial(reason, 5)];
    expect(await textAfter(job, deps)).toBe(`denied: ${reason}`);
    expect(clock.sleeps).toEqual([]);
  });

  it('is not waited for as spaced when a call was sent after the job was requested', async () => {
    const waitMs = 2000;
    for (const [sinceAskedMs, outcome] of [
      [spacingMs(refreshBench().camera.source) - waitMs, 'captured'],
      [spacingMs(refreshBench().camera.source) - waitMs + 1, 'denied: spaced'],
    ] as const) {
      const { deps, job, control } = refreshBench();
      control.redisNowMs = job.askedAtMs + sinceAskedMs;
      control.takes = [denial('spaced', waitMs)];
      expect(await textAfter(job, deps)).toBe(outcome);
    }
  });

  it('is waited for only once', async () => {
    const { deps, job, control, did, told } = refreshBench();
    control.takes = [denial('spaced', 100), denial('spaced', 90)];
    expect(await textAfter(job, deps)).toBe('denied: spaced');
    expect(did).toEqual(['take', 'slot', 'release', 'take', 'wait']);
    expect(told.at(-1)).toMatchObject({ inMs: 90 });
  });

  it('is not waited for when too many jobs wait already', async () => {
    const { deps, job, control, did } = refreshBench();
    control.slots = 0;
    control.takes = [denial('spaced', 100)];
    expect(await textAfter(job, deps)).toBe('denied: spaced');
    expect(did).toEqual(['take', 'wait']);
  });

  it('is not waited for when the process closes, and its slot is released', async () => {
    const { deps, job, control, did, closing } = refreshBench();
    control.takes = [denial('spaced', 100)];
    closing.abort();
    expect(await textAfter(job, deps)).toBe('denied: spaced');
    expect(did).toEqual(['take', 'slot', 'release', 'wait']);
  });

  it('causes no announcement and no call when it is unknown', async () => {
    for (const takes of [[], [denial('spaced', 100)]]) {
      const { deps, job, control, did } = refreshBench();
      control.takes = [...takes, { outcome: 'unknown', reason: 'no reply' }];
      expect(await textAfter(job, deps)).toBe('denied: no reply');
      expect(did.filter((what) => ['connect', 'wait', 'send'].includes(what))).toEqual([]);
    }
  });
});

describe('a call', () => {
  it('does not blame the camera for an authentication challenge, and waits for the next permit', async () => {
    const { deps, job, did, ends, told, control, camera } = refreshBench();
    control.capture = { outcome: 'challenged' };
    expect(await textAfter(job, deps)).toBe(
      'failed: authentication required; the next call will send credentials',
    );
    expect(did).toEqual(['take', 'connect', 'send', 'started', 'finish', 'wait']);
    expect(ends).toEqual([{ verdict: 'none', restMs: spacingMs(camera.source) - 1000 }]);
    expect(told.at(-1)).toEqual({ what: 'wait', reason: 'spaced', inMs: 4000 });
  });

  it('does not blame the camera when the worker has no room for the body', async () => {
    const { deps, job, did, ends, told, control } = refreshBench();
    control.capture = { outcome: 'no room' };
    expect(await textAfter(job, deps)).toBe(
      'failed: frame not read: the worker has no memory left for it',
    );
    expect(did).toEqual(['take', 'connect', 'send', 'started', 'finish', 'wait']);
    // Otherwise hundreds of such calls would repeat in a loop.
    expect(ends).toEqual([{ verdict: 'none', restMs: 5000 }]);
    expect(told.at(-1)).toEqual({ what: 'wait', reason: 'spaced', inMs: 4000 });
  });

  it('L12: is finished before its frame is announced, so that the next request is not denied', async () => {
    const { deps, job, did } = refreshBench();
    expect(await textAfter(job, deps)).toBe('captured');
    expect(did).toEqual(['take', 'connect', 'send', 'started', 'finish', 'frame']);
  });

  it('S6: rests for its interval and guard, measured from after the send', async () => {
    const { deps, job, ends, camera, control } = refreshBench();
    control.connectMs = 3000;
    control.answerMs = 1200;
    await refresh(job, deps);
    expect(ends).toEqual([{ verdict: 'ok', restMs: spacingMs(camera.source) - 1200 }]);
  });

  it('rests for at least a millisecond: 0 would mean that nothing was sent', async () => {
    const { deps, job, ends, control } = refreshBench();
    control.answerMs = 14_000;
    await refresh(job, deps);
    expect(ends).toEqual([{ verdict: 'ok', restMs: 1 }]);
  });

  it('S8: rests as long when the wall clock is set ahead or back during it', async () => {
    for (const stepMs of [60_000, -60_000]) {
      for (const capture of [captured, { outcome: 'failed', status: 502, reason: 'x' } as const]) {
        const { deps, job, ends, camera, control, clock, told } = refreshBench();
        control.capture = capture;
        const { announceStart: started } = deps.results;
        deps.results.announceStart = (called, startedJob) => {
          clock.stepWall(stepMs);
          started(called, startedJob);
        };
        await refresh(job, deps);
        expect(ends).toMatchObject([{ restMs: spacingMs(camera.source) - 1000 }]);
        const frame = told.at(-1)?.frame ?? { startedAgoMs: 1001 };
        expect(frame).toMatchObject({ startedAgoMs: 1001 });
      }
    }
  });

  it('stores its frame with its ages and the wait for the next, as of storing it', async () => {
    const { deps, job, told, control, clock } = refreshBench();
    control.stored = async () => {
      clock.advance(200);
      return 'frame';
    };
    await refresh(job, deps);
    expect(told.at(-1)?.frame).toMatchObject({
      contentType: 'image/jpeg',
      startedAgoMs: 1000 + 1 + 200,
      capturedAgoMs: 1 + 200,
      nextMs: 4000 - 200,
    });
  });

  it.each([
    ['unchanged', 'unchanged'],
    ['older', 'overtaken'],
  ] as const)('whose frame is stored as %s ends as %s', async (stored, outcome) => {
    const { deps, job, control } = refreshBench();
    control.stored = async () => stored;
    expect(await textAfter(job, deps)).toBe(outcome);
  });

  it('is not a failure of the camera when its frame cannot be stored', async () => {
    const { deps, job, control, did, ends } = refreshBench();
    control.stored = async () => {
      throw new Error('frames Redis is away');
    };
    expect(await textAfter(job, deps)).toBe('failed: frame not stored: frames Redis is away');
    expect(did).not.toContain('failure');
    expect(did.at(-1)).toBe('wait');
    expect(ends).toMatchObject([{ verdict: 'ok' }]);
  });

  it('S: connects within the rest of its start allowance', async () => {
    const { deps, job, told, camera } = refreshBench();
    await refresh(job, deps);
    const withinMs = camera.source.startAllowanceMs - 50;
    expect(told[0]).toMatchObject({ what: 'connect', withinMs });
  });

  it('L2: is a failure when it cannot connect, and spaced from then on', async () => {
    const { deps, job, control, did, ends, told, camera } = refreshBench();
    control.prepared = { outcome: 'failed', status: 502, reason: 'refused' };
    control.connectMs = 2000;
    expect(await textAfter(job, deps)).toBe('failed: refused');
    expect(did).toEqual(['take', 'connect', 'finish', 'failure']);
    expect(ends).toEqual([{ verdict: 'fail', restMs: spacingMs(camera.source) }]);
    expect(told.at(-1)?.failure).toEqual({ status: 502, reason: 'refused', nextMs: 4000 });
  });

  it.each([3951, 4000, 60_000])(
    'L2: is never sent when connecting took %d ms of 4000',
    async (connectMs) => {
      const { deps, job, control, did, ends, told } = refreshBench();
      control.connectMs = connectMs;
      expect(await textAfter(job, deps)).toMatch(/^late/);
      expect(did).toEqual(['take', 'connect', 'destroy', 'finish', 'wait']);
      expect(ends).toEqual([{ verdict: 'late', restMs: 0 }]);
      expect(told.at(-1)).toEqual({ what: 'wait', reason: 'late', inMs: 4000 });
    },
  );

  it('is sent just within the margin', async () => {
    const { deps, job, control } = refreshBench();
    control.connectMs = 3950;
    expect(await textAfter(job, deps)).toBe('captured');
  });

  it('is aborted at once when sent too late, without blaming the camera', async () => {
    const { deps, job, control, did, ends, camera } = refreshBench();
    control.sendMs = 4000;
    control.answerMs = 0;
    expect(await textAfter(job, deps)).toMatch(/^late/);
    expect(did).toEqual(['take', 'connect', 'send', 'destroy', 'finish', 'wait']);
    expect(ends).toMatchObject([{ verdict: 'late', restMs: spacingMs(camera.source) }]);
  });

  it('is not a failure of the camera when this worker was too slow to connect or to read', async () => {
    const unsent = refreshBench();
    unsent.control.prepared = { outcome: 'late' };
    expect(await textAfter(unsent.job, unsent.deps)).toMatch(/^late/);
    expect(unsent.ends).toEqual([{ verdict: 'late', restMs: 0 }]);
    const unread = refreshBench();
    unread.control.capture = { outcome: 'late' };
    expect(await textAfter(unread.job, unread.deps)).toMatch(/^late/);
    expect(unread.ends).toEqual([
      { verdict: 'late', restMs: spacingMs(unread.camera.source) - 1000 },
    ]);
    for (const { did } of [unsent, unread]) expect(did).not.toContain('failure');
  });

  it('S14: backs off after a timeout for as long as the camera may still work on it', async () => {
    const { deps, job, control, ends, camera } = refreshBench();
    control.capture = { outcome: 'failed', status: 504, reason: 'late' };
    await refresh(job, deps);
    expect(ends).toMatchObject([{ verdict: 'fail', minBackoffMs: camera.source.timeoutMs }]);
  });

  it('L10: backs off for as long as the camera demands', async () => {
    const { deps, job, control, ends, did } = refreshBench();
    control.capture = { outcome: 'failed', status: 502, reason: '429', retryAfterMs: 30_000 };
    expect(await textAfter(job, deps)).toBe('failed: 429');
    expect(ends).toMatchObject([{ verdict: 'fail', minBackoffMs: 30_000 }]);
    expect(did.slice(-2)).toEqual(['finish', 'failure']);
  });

  it('to an unnamed camera backs off for minutes at most: viewers can make up any number of them', async () => {
    const { deps, job, control, ends, camera } = refreshBench();
    control.capture = { outcome: 'failed', status: 502, reason: '429', retryAfterMs: 3_600_000 };
    await refresh(job, deps);
    expect(ends).toMatchObject([
      { verdict: 'fail', minBackoffMs: camera.source.unnamedStaleForMs },
    ]);
  });

  it('backs off only by the number of failures after any other failure', async () => {
    const { deps, job, control, ends } = refreshBench();
    control.capture = { outcome: 'failed', status: 502, reason: 'HTML' };
    await refresh(job, deps);
    expect(ends).toMatchObject([{ verdict: 'fail', minBackoffMs: 0 }]);
  });

  it('releases its permit when closing aborts it before the send', async () => {
    const { deps, job, control, ends, did } = refreshBench();
    control.prepared = { outcome: 'aborted' };
    expect(await textAfter(job, deps)).toBe('aborted');
    expect(ends).toEqual([{ verdict: 'none', restMs: 0 }]);
    expect(did).toEqual(['take', 'connect', 'finish']);
  });

  it('is not sent when the process closes right before, and releases its permit', async () => {
    const { deps, job, control, ends, did, closing } = refreshBench();
    control.onConnect = () => closing.abort();
    expect(await textAfter(job, deps)).toBe('aborted');
    expect(ends).toEqual([{ verdict: 'none', restMs: 0 }]);
    expect(did).toEqual(['take', 'connect', 'destroy', 'finish']);
  });

  it('keeps its spacing when closing aborts it in flight, and announces the wait', async () => {
    const { deps, job, control, ends, did, camera } = refreshBench();
    control.capture = { outcome: 'aborted' };
    expect(await textAfter(job, deps)).toBe('aborted');
    expect(ends).toEqual([{ verdict: 'none', restMs: spacingMs(camera.source) - 1000 }]);
    expect(did.slice(-2)).toEqual(['finish', 'wait']);
  });

  it('rests for less when its finish is retried, after success and failure', async () => {
    for (const capture of [captured, { outcome: 'failed', status: 502, reason: 'x' } as const]) {
      const { deps, job, control, camera, clock } = refreshBench();
      control.capture = capture;
      const rests: number[] = [];
      deps.finishPermit = async (_permit, endNow) => {
        rests.push(endNow().restMs);
        clock.advance(1500);
        rests.push(endNow().restMs);
        return permitLifeMs(camera.source);
      };
      await refresh(job, deps);
      const [first = 0, second = 0] = rests;
      expect(first - second).toBe(1500);
    }
  });
});

describe('a camera that confirms its last image', () => {
  const known = { etag: '"ours"', validators: { etag: '"theirs"' } };

  it('has its frame renewed after one call, with no bytes stored', async () => {
    const { deps, job, control, did, told, ends } = refreshBench();
    control.known = known;
    control.capture = { outcome: 'unchanged', hints: noHints };
    expect(await textAfter(job, deps)).toBe('unchanged');
    expect(did).toEqual(['take', 'connect', 'send', 'started', 'finish', 'renewed']);
    expect(told).toMatchObject([
      { what: 'connect', validators: known.validators },
      { what: 'renewed', known, times: { startedAgoMs: 1001, capturedAgoMs: 1, nextMs: 4000 } },
    ]);
    expect(ends).toMatchObject([{ verdict: 'ok' }]);
  });

  it('is not failing when that frame has vanished meanwhile', async () => {
    const { deps, job, control, did } = refreshBench();
    Object.assign(control, {
      known,
      renewed: 'missing',
      capture: { outcome: 'unchanged', hints: noHints },
    });
    expect(await textAfter(job, deps)).toBe('overtaken');
    expect(did.filter((what) => what === 'send')).toHaveLength(1);
    expect(did.at(-1)).toBe('wait');
  });

  it('is overtaken by a frame from a later call', async () => {
    const { deps, job, control } = refreshBench();
    Object.assign(control, {
      known,
      renewed: 'older',
      capture: { outcome: 'unchanged', hints: noHints },
    });
    expect(await textAfter(job, deps)).toBe('overtaken');
  });

  it('has its validators stored with its bytes', async () => {
    const { deps, job, control, told } = refreshBench();
    const validators = { etag: '"theirs"' };
    control.capture = { ...captured, validators } as typeof captured;
    expect(await textAfter(job, deps)).toBe('captured');
    expect(told).toContainEqual({ what: 'frame', frame: expect.objectContaining({ validators }) });
  });
});

it('a frame whose camera was purged during the call is not announced, only the next wait', async () => {
  const { deps, job, control, did, told } = refreshBench();
  control.stored = async () => 'purged';
  expect(await textAfter(job, deps)).toBe('overtaken');
  expect(did.slice(-2)).toEqual(['purged', 'wait']);
  expect(told.at(-1)).toEqual({ what: 'wait', reason: 'spaced', inMs: expect.any(Number) });
});
