import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { printMeasurements } from '../../testing/checks/report.ts';
import { PATIENT_CALLS } from '../../testing/checks/short-faults.ts';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { startViewers, warmUp } from '../../testing/viewers/viewers.ts';

const CAMERAS = 12;
const CALLS_AT_ONCE = 2;
const CALL_MS = 300;
const folder = mkdtempSync(join(tmpdir(), 'lastframe-'));
let fleet: Fleet;

afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await fleet.checkAndStop();
});

it('cameras whose source allows too few calls at once are called in turn, without idle time', async () => {
  const file = join(folder, 'sources.yaml');
  const budget = `budget: { concurrency: ${CALLS_AT_ONCE} }`;
  writeFileSync(file, `sources: [{ name: few, match: "http://127.0.0.1:*/*", ${budget} }]\n`);
  const env = { ...PATIENT_CALLS, SOURCES_FILE: file, ALLOWED_SOURCES: '' };
  fleet = await startFleet({ apis: 2, workers: 2, intervalMs: 1000, delayMs: CALL_MS, env });
  const cameras = Array.from({ length: CAMERAS }, (_, n) => fleet.slow.camera(`cam-${n}`));
  const apiUrls = () => fleet.apis.map(({ url }) => url);
  await warmUp(apiUrls(), cameras);
  const since = (await fleet.slow.calls()).length;
  const viewers = startViewers(apiUrls, cameras, { viewers: 4, pauseMs: 20 });
  const callsNow = async () => (await fleet.slow.calls()).slice(since);
  await expect
    .poll(async () => (await callsNow()).length, { timeout: 120_000 })
    .toBeGreaterThan(120);
  const calls = await callsNow();
  await viewers.stop();

  const last = new Map<string, number>();
  let mostBetween = 0;
  for (const [n, { name }] of calls.entries()) {
    const previous = last.get(name);
    if (previous !== undefined) mostBetween = Math.max(mostBetween, n - previous - 1);
    last.set(name, n);
  }
  const tookMs = (calls.at(-1)?.startMs ?? 0) - (calls[0]?.startMs ?? 0);
  const busyShare = (calls.length * CALL_MS) / CALLS_AT_ONCE / tookMs;
  printMeasurements('a small budget', { mostBetween, busyShare });
  expect(last.size).toBe(CAMERAS);
  expect(mostBetween).toBeLessThan(2 * CAMERAS);
  expect(busyShare).toBeGreaterThan(0.5); // a generous bound for a busy machine
});
