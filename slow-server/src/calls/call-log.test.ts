import { expect, it } from 'vitest';
import { createCallLog } from './call-log.ts';

const start = (startMs: number) => ({ url: 'http://h/image', name: 'image', startMs });
const entries = (log: ReturnType<typeof createCallLog>, since = 0) =>
  JSON.parse([...log.json(since)].join(''));

it('shows a call from its start to its end', () => {
  const log = createCallLog();
  const number = log.begin(start(1.5));
  const entry = {
    number: 1,
    url: 'http://h/image',
    name: 'image',
    startMs: 1.5,
    endMs: null,
    status: null,
  };
  expect(entries(log)).toEqual([entry]);
  log.setStatus(number, 200);
  expect(entries(log)).toEqual([{ ...entry, status: 200 }]);
  log.end(number, 2.25, 200);
  expect(entries(log)).toEqual([{ ...entry, endMs: 2.25, status: 200 }]);
});

it('has no status for a call whose connection closed before the response', () => {
  const log = createCallLog();
  const number = log.begin(start(1));
  log.setStatus(number, 200);
  log.end(number, 2, null);
  expect(entries(log)).toMatchObject([{ endMs: 2, status: null }]);
});

it('forgets calls, continues numbering, and ignores the end of a forgotten call', () => {
  const log = createCallLog();
  const number = log.begin(start(1));
  log.clear();
  log.end(number, 2, 200);
  expect(entries(log)).toEqual([]);
  expect(log.begin(start(3))).toBe(2);
  expect(entries(log)).toMatchObject([{ number: 2, startMs: 3 }]);
});

it('shows only calls after a given number', () => {
  const log = createCallLog();
  for (let i = 0; i < 3; i++) log.begin(start(i));
  expect(entries(log, 2)).toMatchObject([{ number: 3 }]);
  expect(entries(log, 9)).toEqual([]);
});

it('drops the oldest calls when full, and counts them', () => {
  const log = createCallLog(2);
  for (let i = 0; i < 5; i++) log.begin(start(i));
  log.end(1, 9, 200);
  expect(entries(log)).toMatchObject([
    { number: 4, startMs: 3, endMs: null },
    { number: 5, startMs: 4, endMs: null },
  ]);
  expect(log.droppedCount()).toBe(3);
  log.clear();
  expect(log.droppedCount()).toBe(0);
});

it('leaves out calls that are overwritten during a slow read', () => {
  const log = createCallLog(2000);
  for (let i = 0; i < 2000; i++) log.begin(start(i));
  const pieces = log.json(0);
  const first = pieces.next().value;
  for (let i = 0; i < 1500; i++) log.begin(start(i));
  const read = JSON.parse([first, ...pieces].join(''));
  expect(read.map((entry: { number: number }) => entry.number)).toEqual([
    ...Array.from({ length: 1000 }, (_, i) => i + 1),
    ...Array.from({ length: 500 }, (_, i) => i + 1501),
  ]);
});
