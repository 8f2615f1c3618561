import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Fleet } from '../fleet/fleet.ts';

/**
 * Requests a camera until the upstream is called for it again. Returns how long that took: the
 * recovery time of a fault that was just healed.
 */
export async function recoveryMs(
  fleet: Fleet,
  baseUrl: string,
  camera: string,
  timeoutMs = 60_000,
): Promise<number> {
  const startedMs = performance.now();
  const last = (await fleet.slow.calls()).at(-1)?.number ?? 0;
  while (performance.now() - startedMs < timeoutMs) {
    const answer = await fetch(`${baseUrl}/images?url=${encodeURIComponent(camera)}`);
    await answer.arrayBuffer();
    const calls = await fleet.slow.calls(last);
    if (calls.some(({ url }) => url === camera)) return performance.now() - startedMs;
    await sleep(150);
  }
  throw new Error(`${camera} was not called again within ${timeoutMs} ms`);
}

/** Expects every permit to have a time to live, no longer than `longestLifeMs`. */
export async function expectPermitsEnd(fleet: Fleet, longestLifeMs: number): Promise<void> {
  const keys = (await fleet.redis.command('KEYS', '*:permit:*')) as string[];
  for (const key of keys) {
    const leftMs = (await fleet.redis.command('PTTL', key)) as number;
    expect(leftMs, key).not.toBe(-1);
    expect(leftMs, key).toBeLessThanOrEqual(longestLifeMs);
  }
}

/** Expects every running process to exit on SIGTERM with code 0, within its grace period. */
export async function expectCleanEnd(fleet: Fleet): Promise<void> {
  const alive = [...fleet.apis, ...fleet.workers].filter((child) => !child.hasEnded);
  const startedMs = performance.now();
  const codes = await Promise.all(alive.map((child) => child.end('SIGTERM')));
  expect(codes).toEqual(alive.map(() => 0));
  const steps = alive.map(({ logs }) => logs.filter(({ msg }) => msg?.startsWith('closing')));
  expect(performance.now() - startedMs, JSON.stringify(steps)).toBeLessThan(20_000);
}
