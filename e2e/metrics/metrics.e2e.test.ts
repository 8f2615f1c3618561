import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { allMetrics } from '@lastframe/shared/telemetry/metric-definitions';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { prometheusTool } from '../../testing/checks/prometheus.ts';
import { warmUp } from '../../testing/viewers/viewers.ts';
import { dashboardQueries } from './dashboard.ts';
import { type ObservedFleet, startObservedFleet } from './observed-fleet.ts';

const RULES = join(import.meta.dirname, '../../charts/lastframe/files/alerts.yaml');
const FLOOD = 1000;
let observed: ObservedFleet;

beforeAll(async () => {
  observed = await startObservedFleet();
  const { slow } = observed.fleet;
  await observed.setViewedCameras([slow.camera('gate'), slow.camera('a'), slow.camera('b')]);
});

afterAll(async () => {
  await observed?.checkAndStop();
});

const scrape = async ({ opsUrl }: { opsUrl: string }) =>
  await (await fetch(`${opsUrl}/metrics`)).text();
const ownLines = (text: string) => text.split('\n').filter((line) => line.startsWith('lastframe_'));
/** Returns the series without their values. */
const seriesOf = (text: string) =>
  new Set(ownLines(text).map((line) => line.replace(/ [^ ]*$/, '')));
const numberIn = (line: string) => Number(line.split(' ').at(-1));
const helpOf = (text: string) =>
  [...text.matchAll(/^# HELP (lastframe_\w+)/gm)].map(([, name]) => name);

it('each process exports exactly the metrics listed in docs/metrics.md', async () => {
  for (const name of ['api', 'worker'] as const) {
    const expected = allMetrics.filter(({ processes }) =>
      (processes as readonly string[]).includes(name),
    );
    const text = await scrape(observed[name]);
    expect(helpOf(text).sort(), name).toEqual(expected.map(({ name }) => name).sort());
    // Each has a series once there was traffic.
    const series = [...seriesOf(text)].join('\n');
    for (const { name } of expected) expect(series).toContain(name);
  }
});

it('promtool accepts the metrics and the alert rules', async () => {
  const promtool = prometheusTool('promtool');
  for (const process of [observed.api, observed.worker]) {
    const lines = (await scrape(process)).split('\n');
    const input = lines.filter((line) => line.includes('lastframe_')).join('\n');
    const output = execFileSync(promtool, ['check', 'metrics'], { input: `${input}\n` });
    expect(output.toString()).toBe('');
  }
  expect(execFileSync(promtool, ['check', 'rules', RULES]).toString()).toContain('SUCCESS');
});

it('every panel of the dashboard has data', async () => {
  for (const { title, query } of dashboardQueries('2500ms')) {
    const shown = async () => (await observed.prometheus.query(query)).length;
    await expect.poll(shown, { timeout: 20_000, message: `${title}: ${query}` }).toBeGreaterThan(0);
  }
});

it('the numbers match the traffic', async () => {
  const { api, fleet } = observed;
  const count = async (outcome: string, status: number) => {
    const label = `lastframe_requests_total{outcome="${outcome}",status="${status}"}`;
    const line = ownLines(await scrape(api)).find((line) => line.startsWith(label));
    return line === undefined ? 0 : numberIn(line);
  };
  const before = { waited: await count('waited', 200), failed: await count('failed', 502) };
  await (await api.image(fleet.slow.camera('new'))).arrayBuffer();
  await (await api.image(fleet.slow.camera('bad', { status: '500' }))).arrayBuffer();
  expect(await count('waited', 200)).toBe(before.waited + 1);
  expect(await count('failed', 502)).toBe(before.failed + 1);
  const countedCalls = async () => {
    const [sum] = await observed.prometheus.query('sum(lastframe_upstream_calls_total)');
    return sum?.value ?? 0;
  };
  await expect.poll(countedCalls, { timeout: 20_000 }).toBeGreaterThan(0);
  // Read the calls last: their number keeps growing.
  const [sum, calls] = [await countedCalls(), await fleet.slow.calls()];
  expect(sum).toBeLessThanOrEqual(calls.length);
});

it.each(['true', 'false'])('counts every hit with FRONT=%s', async (FRONT) => {
  const { fleet } = observed;
  const api = await fleet.startApi({ FRONT });
  const camera = fleet.slow.camera('counted');
  await warmUp([api.url], [camera]);
  const hits = async () => {
    const lines = ownLines(await scrape(api));
    const sum = (start: RegExp) =>
      lines.filter((line) => start.test(line)).reduce((all, line) => all + numberIn(line), 0);
    return [
      sum(/^lastframe_requests_total\{outcome="(fresh|stale|late)"/),
      sum(/^lastframe_hit_age_seconds_count/),
    ];
  };
  const [requests = 0, ages = 0] = await hits();
  for (let n = 0; n < 25; n += 1) await (await api.image(camera)).arrayBuffer();
  expect(await hits()).toEqual([requests + 25, ages + 25]);
  await api.end('SIGKILL');
});

it(`a flood of ${FLOOD} cameras adds no series, and no metric names any of them`, async () => {
  const { api, worker, fleet } = observed;
  const both = async () => (await scrape(api)) + (await scrape(worker));
  const before = seriesOf(await both());
  const headers = { Prefer: 'respond-async' };
  for (let n = 0; n < FLOOD; n += 50) {
    const cameras = Array.from({ length: 50 }, (_, m) => fleet.slow.camera(`flood-${n + m}`));
    const answers = await Promise.all(cameras.map((camera) => api.image(camera, { headers })));
    await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  }
  // Some are enough: how fast a busy machine calls a thousand cameras does not matter.
  const called = async () => (await fleet.slow.calls()).filter(({ name }) => /^flood/.test(name));
  const some = FLOOD / 10;
  await expect.poll(async () => (await called()).length, { timeout: 60_000 }).toBeGreaterThan(some);
  const text = await both();
  expect([...seriesOf(text)].filter((series) => !before.has(series))).toEqual([]);
  expect(text).not.toContain('flood');
  expect(text).not.toContain('/image');
  expect(text).not.toMatch(/[0-9a-f]{32}/);
});
