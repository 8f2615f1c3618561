import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Pauses, watchPauses } from './pauses.ts';

let pauses: Pauses;

beforeEach(() => {
  pauses = watchPauses();
});
afterEach(() => pauses.close());

it('notes how long the process could not look, and nothing else', async () => {
  const fromMs = performance.now();
  work(60);
  await vi.waitFor(() => expect(pauses.all().at(-1)?.toMs).toBeGreaterThan(fromMs + 55));
  expect(pauses.all().at(-1)?.fromMs).toBeLessThan(fromMs + 5);
});

it('notes a row of short turns without a moment to wait as one pause', async () => {
  await sleep(20);
  const fromMs = performance.now();
  while (performance.now() - fromMs < 60) {
    work(2);
    await turn();
  }
  await vi.waitFor(() => expect(pauses.all().at(-1)?.toMs).toBeGreaterThan(fromMs + 50));
  expect(pauses.all().at(-1)?.fromMs).toBeLessThan(fromMs + 15);
});

it('notes two pauses, when it could look between them', async () => {
  const fromMs = performance.now();
  work(30);
  await sleep(30);
  const againMs = performance.now();
  work(30);
  await vi.waitFor(() => expect(pauses.all().at(-1)?.toMs).toBeGreaterThan(againMs + 25));
  const first = pauses.all().find(({ toMs }) => toMs > fromMs + 25);
  expect(first?.toMs).toBeLessThan(againMs);
});

function work(forMs: number): void {
  const fromMs = performance.now();
  while (performance.now() - fromMs < forMs) {
    // busy on purpose: nothing else runs meanwhile
  }
}
