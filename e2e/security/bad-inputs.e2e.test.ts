import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Child, type LogLine, startChild } from '../../testing/fleet/child.ts';
import { type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { sendRawRequest } from './ask.ts';
import { badQueries, badUrls, redirectedGroups, urlsOfCanaries } from './bad-inputs.ts';
import { type Canaries, startCanaries } from './canaries.ts';

const REPO = join(import.meta.dirname, '../..');
const RECORDER = join(import.meta.dirname, 'report-connections.ts');
/** The host of the only allowed camera. The canaries listen there too, on another port. */
const GOOD_HOST = '127.0.0.2';
const REFUSED = new Set([400, 403]);
/** A name that is unknown, or whose DNS is silent, is not rejected but leads nowhere. */
const LEADS_NOWHERE = new Set([400, 403, 502, 504]);

/** The time until a process's log lines are read. */
const SOON = { timeout: 20_000 };

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

/** Starts a fleet whose sources allow every URL, so that only the address check protects it. */
const startOpenFleet = (networks: string) =>
  startFleet({
    env: {
      ALLOWED_SOURCES: 'http://*:*/*,https://*:*/*',
      ALLOWED_NETWORKS: networks,
      NODE_OPTIONS: `--import=${RECORDER}`,
    },
  });

describe('bad inputs, with every source but only one address allowed', () => {
  beforeAll(async () => {
    fleet = await startOpenFleet(`${GOOD_HOST}/32`);
  });
  afterAll(() => fleet.stop());

  it('number at least 300, without duplicates', () => {
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

  it('the allowed camera is called', async () => {
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
    const statuses = await inBatches(queries, async (query) => [query, await statusOfQuery(query)]);
    expectNothingReached();
    expect(statuses.filter(([, status]) => !LEADS_NOWHERE.has(status))).toEqual([]);
  });

  it.each(redirectedGroups)('a redirect to %s', async (group) => {
    const redirects = (badUrls[group] ?? []).map((target, n) => {
      const to = encodeURIComponent(fillIn(target));
      return `http://${GOOD_HOST}:{good}/image/r${n}?as=redirect&to=${to}&group=${group.length}`;
    });
    const before = connectionsTo(portOfGood());
    const statuses = await statusesOf(redirects);
    expect(statuses.filter(([, status]) => status !== 502)).toEqual([]);
    // A busy machine may call one again, when its back-off has ended.
    await expect
      .poll(() => connectionsTo(portOfGood()) - before, SOON)
      .toBeGreaterThanOrEqual(redirects.length);
    expectNothingReached();
  });

  it('the allowed camera is still called afterwards', async () => {
    expect(await statusOf(`http://${GOOD_HOST}:{good}/image/two?size=64x36`)).toBe(200);
    expectNothingReached();
  });
});

describe('the same inputs, with every address allowed', () => {
  beforeAll(async () => {
    fleet = await startOpenFleet('0.0.0.0/0,::/0');
  });
  afterAll(() => fleet.stop());

  it.each(['ipv4', 'ipv6'] as const)('reach the %s canary, which proves it works', async (kind) => {
    for (const [n, template] of urlsOfCanaries[kind].entries()) {
      // The path makes each a camera of its own; the URLs are equivalent.
      const url = template.replace('{p}/', `{p}/${n}`);
      const before = canaries.connections[kind];
      expect(await statusOf(url), url).toBe(502);
      expect(canaries.connections[kind], url).toBeGreaterThan(before);
    }
    await expect.poll(() => connectionsTo(canaries.port), SOON).toBeGreaterThan(0);
  });
});

/** Checks the canaries, and every connection that api and worker attempted. */
function expectNothingReached(): void {
  expect(canaries.connections).toEqual({ ipv4: 0, ipv6: 0 });
  const allowed = [`127.0.0.1:${fleet.redis.port}`, `${GOOD_HOST}:${portOfGood()}`];
  expect(attempts().filter((to) => !allowed.includes(to))).toEqual([]);
  // Only the clients' own connections may reach Redis, no camera calls. A busy machine may lose and
  // reopen them.
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
  return await statusOfQuery(`url=${encodeURIComponent(fillIn(url).toWellFormed())}`);
}

async function statusOfQuery(query: string): Promise<number> {
  return (await sendRawRequest(fleet.apis[0]?.url ?? '', `/images?${fillIn(query)}`)).status;
}

async function statusesOf(urls: readonly string[]): Promise<[string, number][]> {
  return await inBatches(urls, async (url) => [url, await statusOf(url)]);
}

/** Runs twenty at a time, so that hanging look-ups do not block the others. */
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

/** Replaces placeholders such as `{p}`. */
function fillIn(template: string): string {
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
