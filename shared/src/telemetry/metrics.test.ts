import { beforeEach, expect, it } from 'vitest';
import { type SourceDefaults, sourcesFromPatterns } from '../cameras/source.ts';
import { createMetrics, type Metrics, sourceLabel } from './metrics.ts';

const sourcesNamed = (...names: string[]) =>
  sourcesFromPatterns(
    names.map((name) => `http://${name}.test/*`),
    {} as SourceDefaults,
  );
let metrics: Metrics;
const seriesOf = async (name: string) =>
  (await metrics.text()).split('\n').filter((line) => line.startsWith(name));

beforeEach(() => {
  metrics = createMetrics('worker');
});

it('has its own registry, so that two processes in one test share nothing', async () => {
  const count = metrics.counter('lastframe_jobs_stalled_total');
  const other = createMetrics('worker');
  other.counter('lastframe_jobs_stalled_total');
  count({});
  expect(await seriesOf('lastframe_jobs_stalled_total')).toEqual([
    'lastframe_jobs_stalled_total 1',
  ]);
  expect(await other.text()).toContain('lastframe_jobs_stalled_total 0');
});

it('identifies the process', async () => {
  const [info] = await seriesOf('lastframe_build_info');
  expect(info).toMatch(/\{process="worker",version="\d+\.\d+\.\d+",node="v24\.[\d.]+"\} 1$/);
});

it('starts every series with known labels at zero', async () => {
  metrics.counter('lastframe_permits_total');
  metrics.histogram('lastframe_permit_wait_seconds');
  expect(await seriesOf('lastframe_permits_total')).toContain(
    'lastframe_permits_total{outcome="hold"} 0',
  );
  expect(await seriesOf('lastframe_permit_wait_seconds_count')).toEqual([
    'lastframe_permit_wait_seconds_count 0',
  ]);
});

it('reads a gauge on each scrape, and omits the series while its value is unknown', async () => {
  let value: number | undefined = 3;
  metrics.read('lastframe_upstream_calls_open', () => [{ labels: {}, value }]);
  expect(await seriesOf('lastframe_upstream_calls_open')).toEqual([
    'lastframe_upstream_calls_open 3',
  ]);
  value = undefined;
  expect(await seriesOf('lastframe_upstream_calls_open')).toEqual([]);
  value = 0;
  expect(await seriesOf('lastframe_upstream_calls_open')).toEqual([
    'lastframe_upstream_calls_open 0',
  ]);
});

it('reads a counter on each scrape, without adding it to earlier values', async () => {
  const labels = { connection: 'queue' } as const;
  metrics.read('lastframe_redis_reconnects_total', () => [{ labels, value: 5 }]);
  await metrics.text();
  expect(await seriesOf('lastframe_redis_reconnects_total')).toEqual([
    'lastframe_redis_reconnects_total{connection="queue"} 5',
  ]);
});

it('removes the series of a source together with the source', async () => {
  const count = metrics.counter('lastframe_upstream_calls_total');
  const observe = metrics.histogram('lastframe_upstream_call_seconds');
  metrics.setSources(sourcesNamed('a', 'b'));
  const [a, b] = ['http://a.test', 'http://b.test'];
  for (const source of [a, b]) {
    count({ source, outcome: 'captured' });
    observe(0.3, { source });
  }
  expect((await seriesOf('lastframe_upstream_call')).join()).toContain(a);
  metrics.setSources(sourcesNamed('b', 'c'));
  const left = (await seriesOf('lastframe_upstream_call')).join('\n');
  expect(left).not.toContain(a);
  expect(left).toContain(`lastframe_upstream_calls_total{source="${b}",outcome="captured"} 1`);
  expect(left).toContain('lastframe_upstream_call_seconds_count{source="http://c.test"} 0');
});

it('shows only the origin of a source that is named by its pattern', () => {
  expect(sourceLabel({ name: 'http://cams.test:81/hidden/*?token=planted' })).toBe(
    'http://cams.test:81',
  );
  expect(sourceLabel({ name: 'https://*.cams.test/*' })).toBe('https://*.cams.test');
  expect(sourceLabel({ name: 'airport' })).toBe('airport');
});
