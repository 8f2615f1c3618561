import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLink } from './link.js';

/** A browser's EventSource, controlled by the test. */
class FakeSource {
  static readonly CONNECTING = 0;
  static readonly CLOSED = 2;
  static opened: FakeSource[] = [];
  readonly url: string;
  readyState = FakeSource.CONNECTING;
  onopen = () => {};
  onerror = () => {};
  readonly #listeners = new Map<string, (event: { data: string }) => void>();

  constructor(url: string) {
    this.url = url;
    FakeSource.opened.push(this);
  }

  addEventListener(kind: string, listener: (event: { data: string }) => void) {
    this.#listeners.set(kind, listener);
  }

  close() {
    this.readyState = FakeSource.CLOSED;
  }

  send(kind: string, data: object) {
    this.#listeners.get(kind)?.({ data: JSON.stringify(data) });
  }

  fail(readyState: number) {
    this.readyState = readyState;
    this.onerror();
  }
}

beforeEach(() => {
  FakeSource.opened = [];
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', FakeSource);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function start({ explained = false, target = (): string | undefined => 'events?camera=a' } = {}) {
  const updates: unknown[] = [];
  const states: string[] = [];
  const link = createLink({
    target,
    onNews: (one) => updates.push(one),
    onState: (state) => states.push(state),
    isExplained: async () => explained,
  });
  link.open();
  return { link, updates, states };
}

const last = () => {
  const source = FakeSource.opened.at(-1);
  if (!source) throw new Error('nothing was opened');
  return source;
};

it('passes on updates of every kind', () => {
  const { updates, states } = start();
  last().onopen();
  for (const kind of ['frame', 'unchanged', 'failure', 'health']) last().send(kind, { kind });
  expect(updates).toHaveLength(4);
  expect(states).toEqual(['open']);
});

it('lets the browser reconnect when a process goes away', async () => {
  const { states } = start();
  last().onopen();
  last().fail(FakeSource.CONNECTING);
  await vi.advanceTimersByTimeAsync(3000);
  last().onopen();
  expect(FakeSource.opened).toHaveLength(1);
  expect(states).toEqual(['open', 'lost', 'open']);
});

it('retries with growing delays when the browser gives up', async () => {
  const { states } = start();
  const delaysMs: number[] = [];
  for (let n = 0; n < 8; n += 1) {
    const count = FakeSource.opened.length;
    const failedAtMs = Date.now();
    last().fail(FakeSource.CLOSED);
    while (FakeSource.opened.length === count) await vi.advanceTimersByTimeAsync(100);
    delaysMs.push(Date.now() - failedAtMs);
  }
  expect(delaysMs[0]).toBeLessThan(2000);
  expect(Math.max(...delaysMs)).toBeLessThan(23_000);
  expect(delaysMs.at(-1)).toBeGreaterThan(7000);
  expect(new Set(states)).toEqual(new Set(['lost']));
});

it('reconnects at once, without being lost, when another target will do better', async () => {
  const { states } = start({ explained: true });
  last().fail(FakeSource.CLOSED);
  await vi.advanceTimersByTimeAsync(0);
  expect(FakeSource.opened).toHaveLength(2);
  expect(states).toEqual([]);
});

it('reconnects after a long silence', async () => {
  const { states } = start();
  last().onopen();
  await vi.advanceTimersByTimeAsync(39_000);
  last().send('frame', {});
  await vi.advanceTimersByTimeAsync(39_000);
  expect(FakeSource.opened).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2000);
  expect(FakeSource.opened).toHaveLength(2);
  expect(states).toEqual(['open']);
});

it('is lost when there is no response at all', async () => {
  const { states } = start();
  await vi.advanceTimersByTimeAsync(11_000);
  expect(states).toEqual(['lost']);
  expect(FakeSource.opened).toHaveLength(2);
});

it('opens nothing without a target, and nothing once it is closed', async () => {
  const { states } = start({ target: () => undefined });
  expect([FakeSource.opened.length, states]).toEqual([0, ['open']]);
  const { link } = start();
  link.close();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(FakeSource.opened).toHaveLength(1);
});
