import { expect, it } from 'vitest';
import { createNewCameraLimit } from './new-camera-limit.ts';

function limitOf(perMinute: number) {
  const clock = { ms: 0, monoMs: () => clock.ms };
  const limit = createNewCameraLimit(clock, perMinute);
  return { clock, ask: (client: string, camera: string) => limit.tryRequest(client, camera) };
}

it('limits the new cameras of a client per minute, and returns the wait for the next', () => {
  const { clock, ask } = limitOf(3);
  expect(['a', 'b', 'c', 'd'].map((camera) => ask('me', camera))).toEqual([0, 0, 0, 20_000]);
  clock.ms = 5000;
  expect(ask('me', 'd')).toBe(15_000);
  clock.ms = 20_000;
  expect([ask('me', 'd'), ask('me', 'e')]).toEqual([0, 20_000]);
});

it('leaves other clients alone', () => {
  const { ask } = limitOf(1);
  expect([ask('me', 'a'), ask('me', 'b'), ask('you', 'c')]).toEqual([0, 60_000, 0]);
});

it('treats a camera requested within the last minute as new to no client', () => {
  const { clock, ask } = limitOf(1);
  expect([ask('me', 'a'), ask('me', 'a'), ask('you', 'a'), ask('you', 'b')]).toEqual([0, 0, 0, 0]);
  clock.ms = 60_000;
  expect([ask('you', 'a'), ask('you', 'c')]).toEqual([0, 60_000]);
});

it('0 means no limit', () => {
  const { ask } = limitOf(0);
  expect(Array.from({ length: 1000 }, (_, n) => ask('me', `${n}`)).every((ms) => ms === 0)).toBe(
    true,
  );
});

it('bounds what it remembers of a flood of addresses and cameras', () => {
  const { ask } = limitOf(1);
  for (let n = 0; n < 200_000; n += 1) ask(`client-${n}`, `camera-${n}`);
  expect(ask('client-199999', 'new')).toBe(60_000);
  expect(ask('client-0', 'another')).toBe(0);
});
