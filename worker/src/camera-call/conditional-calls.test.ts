import { describe, expect, it } from 'vitest';
import { noHints, silentLog, testCamera, testSource } from '../test-support/cameras.ts';
import type { Capture } from './capture.ts';
import { createConditionalCalls } from './conditional-calls.ts';

const validators = { etag: '"theirs"' };
const known = { etag: '"sha256-1"', validators };
const captured = (theirs?: { etag: string }): Capture => ({
  outcome: 'captured',
  bytes: Buffer.from('x'),
  contentType: 'image/jpeg',
  hints: noHints,
  ...(theirs && { validators: theirs }),
});
const failed = (receivedStatus?: number): Capture => ({
  outcome: 'failed',
  status: 502,
  reason: 'x',
  receivedStatus,
});

/** A camera and its calls; each call returns the validators that it sent. */
function bench(camera = testCamera()) {
  const calls = createConditionalCalls(silentLog);
  return {
    call: (capture: (sent: boolean) => Capture, etag = known.etag) => {
      if (!calls.mayUse(camera)) return { sent: undefined, isBlameless: false };
      const sent = calls.validatorsFor(camera, known);
      const result = capture(sent !== undefined);
      const isBlameless = calls.onResult(camera, { known, sent, capture: result, etag });
      return { sent, isBlameless };
    },
    mayUse: () => calls.mayUse(camera),
    calls,
    camera,
  };
}

it('sends the validators of the last frame', () => {
  const { calls, camera } = bench();
  expect(calls.validatorsFor(camera, known)).toEqual(validators);
  expect(calls.validatorsFor(camera, undefined)).toBeUndefined();
});

it('sends none to a source with conditional: false', () => {
  expect(bench(testCamera(undefined, testSource({ conditional: false }))).mayUse()).toBe(false);
});

it('sends none for a frame that is listed as a placeholder, or its camera would confirm it', () => {
  const { calls, camera } = bench(
    testCamera(undefined, testSource({ placeholders: [known.etag] })),
  );
  expect(calls.validatorsFor(camera, known)).toBeUndefined();
});

describe('a camera that rejects conditional calls', () => {
  it.each([400, 405, 412, 500, 501, 502])('with %d is asked without a condition next', (status) => {
    const { call } = bench();
    expect(call(() => failed(status))).toEqual({ sent: validators, isBlameless: true });
    expect(call(() => captured())).toEqual({ sent: undefined, isBlameless: false });
  });

  it('is asked without conditions for ever after the second time', () => {
    const { call, mayUse } = bench();
    const answer = (isConditional: boolean) => (isConditional ? failed(412) : captured());
    for (let n = 0; n < 4; n += 1) call(answer);
    expect(mayUse()).toBe(false);
  });

  it('is asked without a condition after a call that broke off or timed out too', () => {
    const { call } = bench();
    expect(call(() => failed())).toEqual({ sent: validators, isBlameless: false });
    expect(call(() => captured()).sent).toBeUndefined();
  });
});

it.each([401, 403, 404, 429, 503])(
  'blames a camera for %d, which is not about the condition',
  (status) => {
    expect(bench().call(() => failed(status)).isBlameless).toBe(false);
  },
);

it('goes on with conditions after failures that have nothing to do with them', () => {
  const { call, mayUse } = bench();
  for (let n = 0; n < 10; n += 1) {
    call(() => failed(500));
    call(() => failed(500));
    call(() => failed(500));
    call(() => captured());
    expect(call(() => ({ outcome: 'unchanged', hints: noHints })).sent).toEqual(validators);
  }
  expect(mayUse()).toBe(true);
});

describe('a camera whose validators never change', () => {
  const NEW = '"sha256-2"';

  it('is checked without a condition after ten confirmations, and caught', () => {
    const { call, mayUse } = bench();
    for (let n = 0; n < 10; n += 1) {
      expect(call(() => ({ outcome: 'unchanged', hints: noHints })).sent).toEqual(validators);
    }
    expect(call(() => captured(validators), NEW).sent).toBeUndefined();
    expect(mayUse()).toBe(false);
  });

  it('is caught at once when it ignores conditions', () => {
    const { call, mayUse } = bench();
    call(() => captured(validators), NEW);
    expect(mayUse()).toBe(false);
  });
});

it('checks a camera that tells the truth less and less often', () => {
  const { call, mayUse } = bench();
  let checks = 0;
  for (let n = 0; n < 10_000; n += 1) {
    const { sent } = call((isConditional) =>
      isConditional ? { outcome: 'unchanged', hints: noHints } : captured(validators),
    );
    if (!sent) checks += 1;
  }
  expect(mayUse()).toBe(true);
  expect(checks).toBeGreaterThan(5);
  expect(checks).toBeLessThan(25);
});
