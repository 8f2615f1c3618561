import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Child, type LogLine, startChild } from '../../testing/child.ts';
import { type Fleet, startFleet } from '../../testing/fleet.ts';
import { ask } from './ask.ts';
import { badQueries, badUrls, leadToCanaries, redirectedGroups } from './bad-inputs.ts';
import { type Canaries, startCanaries } from './canaries.ts';

const REPO = join(import.meta.dirname, '../..');
const RECORDER = join(import.meta.dirname, 'report-connections.ts');
/** Where the one camera is that may be called; the canaries listen there too, on another port. */
const GOOD_HOST = '127.0.0.2';
const REFUSED = new Set([400, 403]);
/** A name that is unknown here, or whose DNS is silent, is refused by nobody: it leads nowhere. */
const LEADS_NOWHERE = new Set([400, 403, 502, 504]);

/** Until the lines of a process are read. */
const SOON = { timeout: 10_000 };

let canaries: Canaries;
let good: Child;
let fleet: Fleet;

beforeAll(async () => {
  canaries = await startCanaries();
  const env = { HOST: GOOD_HOST, PORT: '0', DELAY: '10ms' };
  good = await startChild(join(REPO, 'slow-server/src/main.ts'), env);
});

afterAll(async () => {
  await good?.end('SIGKILL');
  await canaries?.close();
});

/** The sources allow every URL that there is: only the guard of addresses stands in the way. */
const startOpenFleet = (networks: string) =>
  startFleet({
    env: {
      ALLOWED_SOURCES: 'http://*:*/*,https://*:*/*',
      ALLOWED_NETWORKS: networks,
      NODE_OPTIONS: `--import=${RECORDER}`,
    },
  });

describe('bad inputs, where every source but only one address is allowed', () => {
  beforeAll(async () => {
    fleet = await startOpenFleet(`${GOOD_HOST}/32`);
  });
  afterAll(() => fleet.stop());

  it('are at least 300, no two alike', () => {
    const urls = Object.values(badUrls).flat();
    const inputs = [
      ...urls,
      ...Object.values(badQueries)
        .flat()
        .map((query) => `?${query}`),
    ];
    expect(inputs.filter((input, n) => inputs.indexOf(input) !== n)).toEqual([]);
    expect(inputs.length).toBeGreaterThanOrEqual(300);
  });

  it('the camera that may be called is called', async () => {
    expect(await statusOf(`http://${GOOD_HOST}:{good}/image/one?size=64x36`)).toBe(200);
    await expect.poll(() => connectionsTo(portOfGood()), SOON).toBe(1);
  });

  it.each(Object.keys(badUrls))('%s', async (group) => {
    const statuses = await statusesOf(badUrls[group] ?? []);
    expectNothingReached();
    const expected = /^(names|Unicode|numbers|encoded|too|control|credentials|IPv6 with)/.test(
      group,
    )
      ? LEADS_NOWHERE
      : REFUSED;
    expect(statuses.filter(([, status]) => !expected.has(status))).toEqual([]);
  });

  it.each(Object.keys(badQueries))('%s', async (group) => {
    const queries = badQueries[group] ?? [];
    const statuses = await inBatches(queries, async (query) => [query, await askFor(query)]);
    expectNothingReached();
    expect(statuses.filter(([, status]) => !LEADS_NOWHERE.has(status))).toEqual([]);
  });

  it.each(redirectedGroups)('a redirect to %s', async (group) => {
    const redirects = (badUrls[group] ?? []).map((target, n) => {
      const to = encodeURIComponent(at(target));
      return `http://${GOOD_HOST}:{good}/image/r${n}?as=redirect&to=${to}&group=${group.length}`;
    });
    const before = connectionsTo(portOfGood());
    const statuses = await statusesOf(redirects);
    expect(statuses.filter(([, status]) => status !== 502)).toEqual([]);
    await expect.poll(() => connectionsTo(portOfGood()) - before, SOON).toBe(redirects.length);
    expectNothingReached();
  });

  it('the camera that may be called still is, afterwards', async () => {
    expect(await statusOf(`http://${GOOD_HOST}:{good}/image/two?size=64x36`)).toBe(200);
    expectNothingReached();
  });
});

describe('the same inputs, where every address is allowed', () => {
  beforeAll(async () => {
    fleet = await startOpenFleet('0.0.0.0/0,::/0');
  });
  afterAll(() => fleet.stop());

  it.each(['ipv4', 'ipv6'] as const)('do reach the %s canary: it would have told', async (kind) => {
    for (const [n, template] of leadToCanaries[kind].entries()) {
      // One camera each: what they mean is the same.
      const url = template.replace('{p}/', `{p}/${n}`);
      const before = canaries.reached[kind];
      expect(await statusOf(url), url).toBe(502);
      expect(canaries.reached[kind], url).toBeGreaterThan(before);
    }
    await expect.poll(() => connectionsTo(canaries.port), SOON).toBeGreaterThan(0);
  });
});

/** Judged by listeners, and by every connection that api and worker tried to make. */
function expectNothingReached(): void {
  expect(canaries.reached).toEqual({ ipv4: 0, ipv6: 0 });
  const allowed = [`127.0.0.1:${fleet.redis.port}`, `${GOOD_HOST}:${portOfGood()}`];
  expect(attempts().filter((to) => !allowed.includes(to))).toEqual([]);
  // Redis may be connected to, but not by calls: what there is are the clients' own connections,
  // which a busy machine may lose.
  const losses = lines().filter(({ msg }) => msg === 'redis lost').length;
  expect(connectionsTo(fleet.redis.port)).toBeLessThanOrEqual(12 * (1 + losses));
}

function lines(): LogLine[] {
  return [...fleet.apis, ...fleet.workers].flatMap(({ logs }) => logs);
}

function attempts(): string[] {
  return lines()
    .filter(({ msg }) => msg === 'connects')
    .map(({ ip, port }) => `${ip}:${port}`);
}

function connectionsTo(port: number): number {
  return attempts().filter((to) => to.endsWith(`:${port}`)).length;
}

function portOfGood(): number {
  return Number(good.listening.port);
}

async function statusOf(url: string): Promise<number> {
  return await askFor(`url=${encodeURIComponent(at(url).toWellFormed())}`);
}

async function askFor(query: string): Promise<number> {
  return (await ask(fleet.apis[0]?.url ?? '', `/images?${at(query)}`)).status;
}

async function statusesOf(urls: readonly string[]): Promise<[string, number][]> {
  return await inBatches(urls, async (url) => [url, await statusOf(url)]);
}

/** Twenty at a time, so that look-ups that hang don't keep the others from their turn. */
async function inBatches<T>(
  inputs: readonly string[],
  work: (input: string) => Promise<[string, T]>,
): Promise<[string, T][]> {
  const results: [string, T][] = [];
  for (let from = 0; from < inputs.length; from += 20) {
    results.push(...(await Promise.all(inputs.slice(from, from + 20).map(work))));
  }
  return results;
}

function at(template: string): string {
  const values: Record<string, unknown> = {
    p: canaries.port,
    good: portOfGood(),
    api: fleet.apis[0]?.listening.port,
    apiops: fleet.apis[0]?.listening.opsPort,
    ops: fleet.workers[0]?.listening.opsPort,
    redis: fleet.redis.port,
    host: hostname(),
  };
  return template.replace(/\{(\w+)\}/g, (all, name) => String(values[name] ?? all));
}
