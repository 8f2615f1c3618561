import { describe, expect, it } from 'vitest';
import {
  decodeAnnouncement,
  decodeFailure,
  encodeAnnouncement,
  encodeFailure,
} from './announcement.ts';

const cameraId = '0123456789abcdef0123456789abcdef';
const times = { startedAgoMs: 5100, capturedAgoMs: 0, nextMs: 20.5 };

const messages = [
  { kind: 'started', cameraId },
  { kind: 'frame', cameraId, etag: '"sha256-1"', ...times },
  {
    kind: 'frame',
    cameraId,
    etag: '"sha256-1"',
    ...times,
    facts: { startedAtMs: 1, capturedAtMs: 2, changedAtMs: 2, goodSinceMs: 1 },
  },
  { kind: 'unchanged', cameraId, etag: '"sha256-1"', ...times },
  { kind: 'failure', cameraId, status: 504, reason: 'it took too long', nextMs: 15_000 },
  { kind: 'wait', cameraId, reason: 'hold', inMs: 21_000 },
] as const;

describe('an announcement', () => {
  it.each(messages)('of kind $kind is decoded as it was encoded', (message) => {
    expect(decodeAnnouncement(encodeAnnouncement(message))).toEqual({ v: 1, ...message });
  });

  it.each(['busy', 'spaced', 'backoff', 'budget', 'hold'] as const)('of a wait: %s', (reason) => {
    const message = { kind: 'wait', cameraId, reason, inMs: 1 } as const;
    expect(decodeAnnouncement(encodeAnnouncement(message))).toMatchObject({ reason });
  });

  it.each([403, 502, 504] as const)('may have a failure status of %d', (status) => {
    const message = { kind: 'failure', cameraId, status, reason: '', nextMs: 0 } as const;
    expect(decodeAnnouncement(encodeAnnouncement(message))).toMatchObject({ status });
  });

  it.each([0, 99, 600, 999, 1e9, -1, 1.5, null, '200'])(
    'of a failure is decoded without invalid details: a status of %s',
    (receivedStatus) => {
      const failure = { status: 502, reason: 'broken', error: 'No Such Type!', receivedStatus };
      const text = JSON.stringify({ v: 1, kind: 'failure', cameraId, ...failure, nextMs: 0 });
      expect(decodeAnnouncement(text)).toEqual({
        v: 1,
        kind: 'failure',
        cameraId,
        status: 502,
        reason: 'broken',
        nextMs: 0,
      });
      expect(decodeFailure(JSON.stringify(failure))).toEqual({ status: 502, reason: 'broken' });
    },
  );

  it('of a newer version is decoded without the fields that this one does not know', () => {
    const text = JSON.stringify({ v: 2, kind: 'started', cameraId, colour: 'blue' });
    expect(decodeAnnouncement(text)).toEqual({ v: 2, kind: 'started', cameraId });
  });

  it.each([
    ['an unknown kind', JSON.stringify({ v: 1, kind: 'moved', cameraId })],
    ['an unknown reason', JSON.stringify({ v: 1, kind: 'wait', cameraId, reason: 'x', inMs: 1 })],
    ['a missing field', JSON.stringify({ v: 1, kind: 'wait', cameraId, reason: 'hold' })],
    [
      'a duration below zero',
      JSON.stringify({ v: 1, kind: 'wait', cameraId, reason: 'hold', inMs: -1 }),
    ],
    ['no camera', JSON.stringify({ v: 1, kind: 'started' })],
    ['no object', '"started"'],
    ['no JSON', '{"v":1,'],
    ['nothing', ''],
  ])('that has %s is not decoded', (_, text) => {
    expect(decodeAnnouncement(text)).toBeUndefined();
  });
});

describe('a remembered failure', () => {
  it('is decoded without its duration, which is the TTL of its key', () => {
    const failure = { status: 502, reason: 'the camera responded with 500', nextMs: 1000 } as const;
    const { nextMs: _, ...rest } = failure;
    expect(decodeFailure(encodeFailure(failure))).toEqual(rest);
  });

  it.each(['', 'x', '{}', '{"v":1,"status":500,"reason":"x"}'])('is not decoded from %j', (text) =>
    expect(decodeFailure(text)).toBeUndefined(),
  );
});
