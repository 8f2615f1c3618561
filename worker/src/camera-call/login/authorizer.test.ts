import { describe, expect, it } from 'vitest';
import { isRightDigest } from '../../test-support/digest-camera.ts';
import {
  type Answers,
  basicAuth,
  challenge,
  digestAuth,
  digestCamera,
  loginWorker,
  REJECTED,
} from '../../test-support/login-worker.ts';

describe('a wrong password', () => {
  it('fails from the first login on, and is tried five times in half an hour', () => {
    const { calls, call, wait, logins } = loginWorker(digestCamera(), {
      auth: digestAuth('wrong'),
    });
    expect(calls(3)).toEqual(['retry', REJECTED, REJECTED]);
    for (let minute = 0; minute < 30; minute += 1) {
      for (let n = 0; n < 4; n += 1) expect(call()).toContain(REJECTED);
      wait(55_000);
    }
    expect(logins()).toBeLessThanOrEqual(5);
    expect(call()).toBe(`${REJECTED}; Lastframe tries again within 10 minutes`);
  });

  it.each([
    ['digest', digestAuth('wrong')],
    ['basic', basicAuth('wrong')],
  ])('is tried as seldom for all cameras of an origin together (%s)', (_, auth) => {
    const answers: Answers = (text) => {
      const [status, headers] = digestCamera()(text, '/');
      return [status, { 'www-authenticate': `Basic realm="x", ${headers?.['www-authenticate']}` }];
    };
    const { call, logins } = loginWorker(answers, { auth });
    for (let n = 0; n < 3; n += 1) {
      for (let path = 0; path < 16; path += 1) call(`/${path}`);
    }
    expect(logins()).toBe(2);
  });

  it('is tried by one call at a time, until a login has worked', () => {
    const { begin, call, logins } = loginWorker(digestCamera());
    call('/0');
    const ends = ['/1', '/2', '/3'].map((path) => begin(path));
    expect(logins()).toBe(1);
    expect(ends.map((end) => end())).toEqual(['read', 'retry', 'retry']);
    ['/1', '/2', '/3'].map((path) => begin(path));
    expect(logins()).toBe(4);
  });

  it('after a right one fails after two extra calls', () => {
    let password = 'right';
    const { calls, logins } = loginWorker((text) =>
      isRightDigest(text, password) ? [200] : challenge(),
    );
    calls(5);
    password = 'changed';
    const before = logins();
    expect(calls(3)).toEqual(['retry', 'retry', REJECTED]);
    calls(20);
    expect(logins() - before).toBe(4);
  });

  it.each([digestAuth, basicAuth])('that the operator corrects is tried at once', (auth) => {
    const isRight = (text = '') =>
      isRightDigest(text, 'right') || text === `Basic ${btoa('me:right')}`;
    const { calls, change } = loginWorker((text) => (isRight(text) ? [200] : challenge()), {
      auth: auth('wrong'),
    });
    calls(5);
    change(auth());
    expect(calls(2).at(-1)).toBe('read');
  });

  it('for one camera of an origin fails there, and costs the others nothing', () => {
    const { call, calls, warn } = loginWorker((text, path) =>
      text && path !== '/no' ? [200] : challenge(),
    );
    calls(2, '/yes');
    const results = Array.from({ length: 20 }, () => [call('/no'), call('/yes')]);
    expect(results.map(([no]) => no).indexOf(REJECTED)).toBe(3);
    expect(results.at(-1)?.[0]).toContain(REJECTED);
    expect(results.map(([, yes]) => yes)).toEqual(Array(20).fill('read'));
    expect(warn).not.toHaveBeenCalled();
  });

  it('of a timed out login says nothing: the same camera tries again', () => {
    const { begin, call, logins } = loginWorker(digestCamera());
    call();
    begin();
    expect(call()).toBe('read');
    expect(logins()).toBe(2);
  });
});
