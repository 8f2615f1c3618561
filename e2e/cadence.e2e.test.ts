import { afterEach, expect, it } from 'vitest';
import { quantileOf } from '../testing/checks/quantile.ts';
import { type Api, type Fleet, startFleet } from '../testing/fleet/fleet.ts';
import { type SourcesFile, writeSourcesFile } from '../testing/fleet/sources-file.ts';

const INTERVAL_MS = 200;
let fleet: Fleet;
let file: SourcesFile;

afterEach(async () => {
  file.remove();
  await fleet.checkAndStop();
});

/** Starts two workers and two apis that follow the cadence of their cameras. */
async function startWith(maxInterval: string): Promise<Api[]> {
  fleet = await startFleet({ apis: 0, workers: 0, intervalMs: INTERVAL_MS, delayMs: 50 });
  const source = `{ name: slow, match: "${fleet.slow.url}/*", maxInterval: ${maxInterval} }`;
  file = writeSourcesFile(`sources: [${source}]\n`);
  const env = { SOURCES_FILE: file.path, ALLOWED_SOURCES: '', COLD_WAIT: '30s' };
  await fleet.startWorker({ ADOPT_REDIS: 'true', ...env });
  await fleet.startWorker(env);
  return [await fleet.startApi(env), await fleet.startApi(env)];
}

const EVERY_MS = 4000;
const PICTURES = 7;
/** By then its rhythm is known. */
const KNOWN_AFTER = 4;

it('calls a camera about when its picture changes, and shows the new one soon', async () => {
  const apis = await startWith('20s');
  const url = fleet.slow.camera('rare', { size: '64x36', every: `${EVERY_MS}ms` });
  /** How late each picture was first served. Pictures change at multiples of their time. */
  const lateMs = new Map<string, number>();
  let asked = 0;
  const request = async () => {
    const api = apis[asked % apis.length] as Api;
    asked += 1;
    const answer = await api.image(url);
    const etag = answer.headers.get('etag') ?? '';
    if (answer.status === 200 && !lateMs.has(etag)) lateMs.set(etag, Date.now() % EVERY_MS);
    return lateMs.size;
  };
  const until = (pictures: number) =>
    expect.poll(request, { timeout: 120_000, interval: 20 }).toBe(pictures);
  await until(KNOWN_AFTER);
  const before = (await fleet.slow.calls()).length;
  await until(PICTURES);
  const calls = (await fleet.slow.calls()).length - before;
  const pictures = PICTURES - KNOWN_AFTER;
  // Called every interval, it would be 19 or 20 times.
  expect(calls / pictures).toBeLessThan(10);
  // A busy machine may delay single calls; cadence.test.ts measures lateness in virtual time.
  expect(Math.min(...[...lateMs.values()].slice(KNOWN_AFTER))).toBeLessThan(EVERY_MS / 3);
});

it('calls a camera no sooner than it asks for, and tells viewers so', async () => {
  const [api] = await startWith('20s');
  const url = fleet.slow.camera('polite', { size: '64x36', maxAge: '2' });
  const request = async () => {
    const answer = await (api as Api).image(url);
    const control = answer.headers.get('cache-control');
    // The frame is fresh from the start of its call, and the camera's time begins with its response.
    if (answer.status === 200) expect(control).toMatch(/max-age=2, stale-while-revalidate=0,/);
    return (await fleet.slow.calls()).length;
  };
  await expect.poll(request, { timeout: 60_000, interval: 50 }).toBeGreaterThan(3);
  const starts = (await fleet.slow.calls()).map(({ startMs }) => startMs);
  const gapsMs = starts.slice(1).map((startMs, index) => startMs - (starts[index] ?? 0));
  // A call that fails on a busy machine is repeated sooner.
  expect(quantileOf(gapsMs, 0.5)).toBeGreaterThanOrEqual(2000);
});
