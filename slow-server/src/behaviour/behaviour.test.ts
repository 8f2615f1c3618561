import { expect, it } from 'vitest';
import { mergeBehaviours, parseBehaviour } from './behaviour.ts';

const parse = (query: string) => parseBehaviour(new URLSearchParams(query));

it('reads every known key and ignores others', () => {
  expect(
    parse('delay=200ms&status=503&retryAfter=30&size=64x36&bytes=2KiB&to=/x&camera=7'),
  ).toEqual({
    ok: true,
    behaviour: {
      delayMs: 200,
      status: 503,
      retryAfterS: 30,
      size: { width: 64, height: 36 },
      bytes: 2048,
      to: '/x',
    },
  });
});

it('reports every fault', () => {
  const outcome = parse('delay=5&status=99&retryAfter=x&as=foo&to=a%0Ab&size=1x1&bytes=1KB');
  expect(outcome).toMatchObject({ ok: false, faults: { length: 7 } });
});

it('refuses a key that is given twice', () => {
  expect(parse('delay=1s&delay=2s')).toEqual({ ok: false, faults: ['"delay" is given 2 times.'] });
});

it('refuses a status combined with a misbehaviour', () => {
  expect(parse('status=500&as=html').ok).toBe(false);
  expect(parse('status=200&as=html').ok).toBe(true);
});

it("prefers a call's own query, key by key", () => {
  const set = { delayMs: 100, status: 500 };
  expect(mergeBehaviours(set, { delayMs: 5 })).toEqual({ delayMs: 5, status: 500 });
});

it("replaces a set status with the call's misbehaviour, and vice versa", () => {
  expect(mergeBehaviours({ delayMs: 1, status: 500 }, { as: 'html' })).toEqual({
    delayMs: 1,
    as: 'html',
  });
  expect(mergeBehaviours({ as: 'endless' }, { status: 200 })).toEqual({ status: 200 });
});
