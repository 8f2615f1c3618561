import fc from 'fast-check';
import { expect, it } from 'vitest';
import { digestFields, isRightDigest } from '../../test-support/digest-camera.ts';
import { type Answers, challenge, loginWorker, REJECTED } from '../../test-support/login-worker.ts';

/** How a camera treats its nonces. */
interface Habits {
  maxUses: number;
  /** Only the latest nonce is valid. */
  isSingle: boolean;
  stale: string;
  announcesNext: boolean;
  realms: number;
}

const ordinary = {
  stale: fc.constantFrom('', ', stale=true'),
  announcesNext: fc.boolean(),
};
const habits = fc.oneof(
  fc.record<Habits>({
    ...ordinary,
    maxUses: fc.constantFrom(1, 2, 3, Number.POSITIVE_INFINITY),
    isSingle: fc.constant(false),
    realms: fc.integer({ min: 1, max: 3 }),
  }),
  // If each were for one use and for one camera, cameras called in turn could never log in.
  fc.record<Habits>({
    ...ordinary,
    announcesNext: fc.constant(false),
    maxUses: fc.constant(Number.POSITIVE_INFINITY),
    isSingle: fc.constant(true),
    realms: fc.constant(1),
  }),
);

interface Round {
  /** Cameras called. */
  paths: number[];
  isConcurrent: boolean;
  waitMs: number;
  /** Of these, the camera whose call times out. */
  lost: number;
}

const rounds = fc.array(
  fc.record<Round>({
    paths: fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { minLength: 1 }),
    isConcurrent: fc.boolean(),
    waitMs: fc.constantFrom(0, 0, 0, 1000, 60_000),
    lost: fc.integer({ min: 0, max: 30 }),
  }),
  { minLength: 20, maxLength: 60 },
);

function cameraWith(habits: Habits): Answers {
  const nonces = new Map<string, { uses: number; realm: string }>();
  const issue = (nonce: string, realm: string) => {
    if (habits.isSingle) nonces.clear();
    nonces.set(nonce, { uses: 0, realm });
  };
  return (authorization, path) => {
    const ownRealm = `realm ${Number(path.slice(1)) % habits.realms}`;
    const { nonce = '', realm } = digestFields(authorization);
    const known = nonces.get(nonce);
    const isRight = realm === ownRealm && isRightDigest(authorization, 'right');
    if (isRight && known?.realm === realm && known.uses < habits.maxUses) {
      known.uses += 1;
      if (!habits.announcesNext) return [200];
      issue(`${nonce}+`, ownRealm);
      return [200, { 'authentication-info': `nextnonce="${nonce}+"` }];
    }
    const answer = challenge(isRight ? habits.stale : '', ownRealm);
    issue(digestFields(answer[1]?.['www-authenticate']).nonce ?? '', ownRealm);
    return answer;
  };
}

/** Returns the results by camera, without timeouts. */
function play(habits: Habits, plan: Round[], password: string): string[][] {
  const worker = loginWorker(cameraWith(habits), {
    auth: { scheme: 'digest', username: 'me', password },
  });
  const results: string[][] = [[], [], [], [], []];
  for (const { paths, isConcurrent, waitMs, lost } of plan) {
    worker.wait(1000 + waitMs);
    const ends: (() => void)[] = [];
    for (const path of paths) {
      const end = worker.begin(`/${path}`);
      const record = () => void results[path]?.push(end());
      if (path === lost) continue;
      if (isConcurrent) ends.push(record);
      else record();
    }
    for (const end of ends) end();
  }
  return results;
}

it('a right password never fails, whatever a camera does with nonces that can be used once', () => {
  const property = fc.property(habits, rounds, (camera, plan) => {
    for (const results of play(camera, plan, 'right')) {
      expect(results.filter((result) => result !== 'read' && result !== 'retry')).toEqual([]);
    }
  });
  fc.assert(property, { numRuns: 100 });
});

it('a wrong password fails on any of these cameras', () => {
  const property = fc.property(habits, rounds, (camera, plan) => {
    const answered = plan.map((round) => ({ ...round, lost: -1 }));
    for (const results of play(camera, answered, 'wrong')) {
      const failed = results.filter((result) => result.startsWith(REJECTED));
      const retries = results.filter((result) => result === 'retry');
      expect(failed.length + retries.length).toBe(results.length);
      expect(retries.length).toBeLessThanOrEqual(10);
    }
  });
  fc.assert(property, { numRuns: 100 });
});
