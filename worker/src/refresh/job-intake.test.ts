import { expect, it } from 'vitest';
import { fakeClock } from '../test-support/fake-clock.ts';
import { createJobIntake, type JobIntake, type JobPlace } from './job-intake.ts';

const reserveAll = (intake: JobIntake) => {
  const places: JobPlace[] = [];
  for (let place = intake.reserve(); place; place = intake.reserve()) places.push(place);
  return places;
};

/** Takes as many jobs as allowed, time after time; each needs so long for its permit. */
function takeInRounds(intake: JobIntake, clock: ReturnType<typeof fakeClock>, startMs: number) {
  for (let round = 0; round < 100; round += 1) {
    const places = reserveAll(intake);
    for (const { begin } of places) begin();
    clock.advance(startMs);
    for (const { started, end } of places) {
      started();
      end();
    }
  }
}

it('as many jobs may wait for their permits as get them in time, up to CONCURRENCY', () => {
  const clock = fakeClock();
  const intake = createJobIntake(clock, 500);
  takeInRounds(intake, clock, 5);
  expect(intake.startLimit()).toBe(500);
  expect(Math.round(intake.startMs())).toBe(5);
});

it('a worker whose permits take long takes few jobs, and never none', () => {
  const clock = fakeClock();
  const intake = createJobIntake(clock, 500);
  takeInRounds(intake, clock, 1000);
  expect(intake.startLimit()).toBe(4);
  expect(reserveAll(intake)).toHaveLength(4);
});

it('a worker that takes fewer jobs says so, and why, until it keeps up again', () => {
  const clock = fakeClock();
  const intake = createJobIntake(clock, 500);
  takeInRounds(intake, clock, 5);
  expect(intake.whyOverloaded()).toBeUndefined();
  takeInRounds(intake, clock, 1000);
  expect(intake.whyOverloaded()).toMatch(/^overloaded: a job waits 1000 ms/);
  clock.advance(10_000);
  takeInRounds(intake, clock, 5);
  expect(intake.whyOverloaded()).toBeUndefined();
  expect(intake.startLimit()).toBe(500);
});

it('the limit does not grow while fewer jobs come than it allows', () => {
  const clock = fakeClock();
  const intake = createJobIntake(clock, 500);
  const before = intake.startLimit();
  for (let n = 0; n < 1000; n += 1) {
    const place = intake.reserve();
    place?.begin();
    place?.started();
    place?.end();
  }
  expect(intake.startLimit()).toBe(before);
});

it('jobs whose calls are under way leave room for others, up to CONCURRENCY', () => {
  const intake = createJobIntake(fakeClock(), 20);
  const calls = reserveAll(intake);
  expect(calls).toHaveLength(16);
  for (const { started } of calls) started();
  expect(reserveAll(intake)).toHaveLength(4);
  calls[0]?.end();
  calls[0]?.end();
  expect(reserveAll(intake)).toHaveLength(1);
});

it('a place is free again when its job starts, ends, or never came', async () => {
  const intake = createJobIntake(fakeClock(), 3);
  const [one, two, three] = reserveAll(intake);
  let isFree = false;
  const free = intake.free().then(() => {
    isFree = true;
  });
  one?.started();
  await Promise.resolve();
  expect(isFree).toBe(false); // its call still counts
  two?.end();
  await free;
  expect(reserveAll(intake)).toHaveLength(1);
  three?.end();
  await intake.free();
});

it('a place for which no job came says nothing about the time that a start takes', () => {
  const clock = fakeClock();
  const intake = createJobIntake(clock, 10);
  const place = intake.reserve();
  clock.advance(5000);
  place?.end();
  expect(intake.startMs()).toBe(0);
});
