import { describe, expect, it } from 'vitest';
import { digestFields, isRightDigest } from '../../test-support/digest-camera.ts';
import {
  challenge,
  digestCamera,
  limitedNonces,
  loginWorker,
  REJECTED,
} from '../../test-support/login-worker.ts';

const count = (results: string[], result: string) => results.filter((r) => r === result).length;

describe('a digest camera', () => {
  it('that keeps its nonce costs one challenge, with a count that rises', () => {
    const { calls, sent } = loginWorker(digestCamera());
    expect(calls(4)).toEqual(['retry', 'read', 'read', 'read']);
    expect(sent.map((text) => digestFields(text).nc)).toEqual([
      undefined,
      '00000001',
      '00000002',
      '00000003',
    ]);
  });

  it.each(['', ', stale=true'])(
    'that accepts each nonce once (%j) gives a frame every other call, and is never sent a used one',
    (more) => {
      const { calls, sent, warn } = loginWorker(digestCamera(limitedNonces(1, more)));
      const results = calls(100);
      expect(count(results, 'read')).toBe(50);
      expect(count(results, 'retry')).toBe(50);
      const nonces = sent.slice(10).flatMap((text) => digestFields(text).nonce ?? []);
      expect(new Set(nonces).size).toBe(nonces.length);
      expect(warn).toHaveBeenCalledOnce();
      expect(warn.mock.calls[0]?.[1]).toContain('each digest nonce only once');
    },
  );

  it('that accepts each nonce once, but announces the next one, gives a frame with every call', () => {
    const once = limitedNonces(1);
    let announced = '';
    const { calls, warn } = loginWorker(
      digestCamera((fields) => {
        announced = `a${fields.nonce}`;
        return once(fields) ?? [200, { 'authentication-info': `nextnonce="${announced}"` }];
      }),
    );
    expect(calls(50).slice(1)).toEqual(Array(49).fill('read'));
    expect(warn).not.toHaveBeenCalled();
  });

  it.each([2, 3, 16])('that accepts each nonce once serves all of its %i cameras', (cameras) => {
    const { begin, wait } = loginWorker(digestCamera(limitedNonces(1)));
    const paths = Array.from({ length: cameras }, (_, n) => `/${n}`);
    const rounds = Array.from({ length: 40 }, (_, round) => {
      wait(1000);
      // At the same time, or one after another.
      if (round % 2) return paths.map((path) => begin(path)()).join();
      return paths
        .map((path) => begin(path))
        .map((end) => end())
        .join();
    });
    expect(rounds.join()).not.toContain('camera');
    const lastRounds = rounds.slice(20).map((round) => round.split(','));
    const frames = paths.map((_, n) => lastRounds.filter((round) => round[n] === 'read').length);
    expect(frames).toEqual(paths.map(() => 10));
  });

  it('that accepts each nonce once for a while is trusted with a used one again, an hour later', () => {
    let once: ReturnType<typeof limitedNonces> | undefined = limitedNonces(1);
    const { calls, wait } = loginWorker(digestCamera((fields) => once?.(fields)));
    calls(20);
    once = undefined;
    wait(3_600_000);
    expect(calls(10).slice(2)).toEqual(Array(8).fill('read'));
  });

  it('that is seldom called, and lets nonces expire between calls, is not taken for one of these', () => {
    const { calls, wait, warn } = loginWorker(digestCamera(limitedNonces(1)));
    for (let n = 0; n < 10; n += 1) {
      expect(calls(2)).toEqual(['retry', 'read']);
      wait(3_600_000);
    }
    expect(warn).not.toHaveBeenCalled();
  });

  it.each(['', ', stale=true', ', stale="TRUE"'])(
    'that accepts each nonce three times (%j) never fails',
    (more) => {
      const { calls, warn } = loginWorker(digestCamera(limitedNonces(3, more)));
      expect(calls(8)).toEqual([
        'retry',
        ...['read', 'read', 'read', 'retry'],
        ...['read', 'read', 'read'],
      ]);
      expect(warn).not.toHaveBeenCalled();
    },
  );

  it('that forgot the first nonce by the time it is used never fails', () => {
    let isFirst = true;
    const { call, calls, wait } = loginWorker(
      digestCamera(() => {
        const answer = isFirst ? challenge() : undefined;
        isFirst = false;
        return answer;
      }),
    );
    call();
    wait(60_000);
    expect(calls(3)).toEqual(['retry', 'read', 'read']);
  });

  it('whose nonce another client made invalid never fails, once the password has worked', () => {
    let refusals = 0;
    const { calls } = loginWorker(digestCamera(() => (refusals-- > 0 ? challenge() : undefined)));
    calls(3);
    refusals = 2;
    expect(calls(4)).toEqual(['retry', 'retry', 'read', 'read']);
  });

  it('that calls every nonce stale fails, and says what to change', () => {
    const { calls } = loginWorker(digestCamera(() => challenge(', stale=true')));
    const [last] = calls(4).slice(-1);
    expect(last).toMatch(/every digest nonce too old; use a shorter interval or basic/);
  });

  it('with several realms asks for each once', () => {
    const { call } = loginWorker((authorization, path) => {
      const isRight = digestFields(authorization).realm === path;
      return isRight && isRightDigest(authorization, 'right') ? [200] : challenge('', path);
    });
    const results = Array.from({ length: 10 }, () => ['/a', '/b', '/c'].map(call));
    expect(results.flat()).not.toContain(REJECTED);
    expect(results.slice(4).flat()).toEqual(Array(18).fill('read'));
  });

  it('gets a fixed cnonce in a session, and otherwise a new one with each call', () => {
    const cnoncesWith = (more: string) => {
      const { calls, sent } = loginWorker((text) => (text ? [200] : challenge(more)));
      calls(4);
      return new Set(sent.slice(1).map((text) => digestFields(text).cnonce)).size;
    };
    expect(cnoncesWith(', algorithm=MD5-sess')).toBe(1);
    expect(cnoncesWith(', algorithm=MD5')).toBe(3);
  });
});
