import { expect, it } from 'vitest';
import { createClientLimit } from './client-limit.ts';

function limitParts() {
  const clock = { ms: 0 };
  const limit = createClientLimit({ burst: 10, perMs: 10 / 60_000 }, () => clock.ms);
  const fail = (client: string, times: number) => {
    for (let n = 0; n < times; n += 1) limit.record(client);
  };
  return { clock, limit, fail };
}

it('a client may use up its burst at once, and then goes on at its rate', () => {
  const { clock, limit, fail } = limitParts();
  fail('me', 9);
  expect(limit.waitMs('me')).toBe(0);
  fail('me', 1);
  expect(limit.waitMs('me')).toBe(6000);
  clock.ms = 6000;
  expect(limit.waitMs('me')).toBe(0);
  fail('me', 1);
  expect(limit.waitMs('me')).toBe(6000);
});

it('other clients are not affected', () => {
  const { limit, fail } = limitParts();
  fail('me', 1000);
  expect([limit.waitMs('me') > 0, limit.waitMs('you')]).toEqual([true, 0]);
});

it('a flood of clients is remembered within limits', () => {
  const { limit, fail } = limitParts();
  for (let n = 0; n < 100_000; n += 1) limit.record(`client-${n}`);
  fail('client-99999', 10);
  expect(limit.waitMs('client-99999')).toBeGreaterThan(0);
});
