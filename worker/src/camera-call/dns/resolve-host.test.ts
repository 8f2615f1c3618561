import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../../../testing/redis/redis-server.ts';
import {
  type DnsAnswer,
  NXDOMAIN,
  REFUSED,
  SERVFAIL,
  startDns,
} from '../../test-support/dns-server.ts';
import { createHostResolver, type HostResolverOptions } from './resolve-host.ts';

const NONE = '/dev/null';

/** Creates a resolver that queries the test's own server, whatever this machine's settings. */
async function setup(
  answerFor: (name: string, nth: number) => DnsAnswer | undefined,
  options: Partial<HostResolverOptions> = {},
) {
  const dns = await startDns(answerFor);
  onTestFinished(dns.close);
  const files = { hostsFile: NONE, resolvConfFile: NONE };
  const resolve = createHostResolver({ ...files, servers: [dns.address], ...options });
  const addresses = async (host: string) => (await resolve(host)).map(({ address }) => address);
  return { dns, resolve, addresses };
}

async function tempFile(text: string) {
  const folder = await mkdtemp(join(tmpdir(), 'lastframe-names-'));
  onTestFinished(async () => await rm(folder, { recursive: true }));
  const path = join(folder, 'file');
  await writeFile(path, text);
  return path;
}

const records = (answers: Record<string, DnsAnswer>) => (name: string) =>
  answers[name] ?? { rcode: NXDOMAIN };

describe('a name server that answers', () => {
  it('returns the addresses of both families', async () => {
    const { resolve } = await setup(() => ({ addresses: ['192.0.2.1', '2001:db8::1'] }));
    expect(await resolve('cam.test')).toEqual([
      { address: '192.0.2.1', family: 4 },
      { address: '2001:db8::1', family: 6 },
    ]);
  });

  it.each([
    ['IPv4', '192.0.2.1'],
    ['IPv6', '2001:db8::1'],
  ])('may return %s only', async (_, address) => {
    const { addresses } = await setup(() => ({ addresses: [address] }));
    expect(await addresses('cam.test')).toEqual([address]);
  });

  it('passes on IPv4-mapped addresses unchanged, for the guard to check', async () => {
    const { resolve } = await setup(() => ({ addresses: ['::ffff:127.0.0.1'] }));
    expect(await resolve('cam.test')).toEqual([{ address: '::ffff:127.0.0.1', family: 6 }]);
  });

  it.each([1, 50])('may return %d aliases before an address', async (length) => {
    const aliases = Array.from({ length }, (_, n) => `alias-${n}.test`);
    const { addresses } = await setup(() => ({ aliases, addresses: ['10.0.0.1'] }));
    expect(await addresses('cam.test')).toEqual(['10.0.0.1']);
  });

  it('resolves nothing with an alias alone, even one of localhost', async () => {
    const { resolve } = await setup(() => ({ aliases: ['localhost'] }));
    await expect(resolve('cam.test')).rejects.toHaveProperty('code', 'ENOTFOUND');
  });

  it('is queried again by the next lookup: answers are not cached', async () => {
    const { addresses } = await setup((_, nth) => ({ addresses: [`192.0.2.${nth}`] }));
    expect(await addresses('cam.test')).toEqual(['192.0.2.0']);
    expect(await addresses('cam.test')).toEqual(['192.0.2.1']);
  });

  it('is queried over TCP if the answer is too long for a datagram', async () => {
    const many = Array.from({ length: 2000 }, (_, n) => `10.0.${n >> 8}.${n & 255}`);
    const { addresses } = await setup(() => ({ addresses: many }));
    expect(await addresses('cam.test')).toEqual(many);
  });
});

describe('a name server without an address', () => {
  it.each([
    ['reports that the name does not exist', { rcode: NXDOMAIN }, 'ENOTFOUND'],
    ['has other records only', {}, 'ENOTFOUND'],
    ['fails', { rcode: SERVFAIL }, 'ESERVFAIL'],
    ['refuses to answer', { rcode: REFUSED }, 'ESERVFAIL'],
  ])('%s', async (_, answer, code) => {
    const { resolve } = await setup(() => answer);
    await expect(resolve('cam.test')).rejects.toHaveProperty('code', code);
  });

  it('is silent', async () => {
    const { resolve } = await setup(() => undefined, { query: { timeout: 250, tries: 1 } });
    await expect(resolve('cam.test')).rejects.toHaveProperty('code', 'ETIMEOUT');
  });

  it('is down, which is not reported as a refusal by the camera', async () => {
    const { resolve } = await setup(() => undefined, {
      servers: [`127.0.0.1:${await freePort()}`],
    });
    await expect(resolve('cam.test')).rejects.toHaveProperty('code', 'ETIMEOUT');
  });

  it.each(['a..test', `${'a'.repeat(64)}.test`, `${'a.'.repeat(130)}test`])(
    'is not queried for an invalid name: %s',
    async (host) => {
      const { dns, resolve } = await setup(() => ({ addresses: ['192.0.2.1'] }));
      await expect(resolve(host)).rejects.toHaveProperty('code', 'ENOTFOUND');
      expect(dns.queriedNames).toEqual([]);
    },
  );
});

it('resolves other names while a thousand get no response', async () => {
  const { dns, addresses } = await setup((name) =>
    name.endsWith('.silent.test') ? undefined : { addresses: ['192.0.2.1'] },
  );
  let endedCount = 0;
  for (let n = 0; n < 1000; n += 1) {
    void addresses(`cam-${n}.silent.test`)
      .catch(() => {})
      .finally(() => (endedCount += 1));
  }
  await expect.poll(() => new Set(dns.queriedNames).size).toBeGreaterThan(100);
  for (let n = 0; n < 20; n += 1) expect(await addresses(`good-${n}.test`)).toEqual(['192.0.2.1']);
  expect(endedCount).toBe(0);
});

describe('without a name server', () => {
  const setupWithAnswer = () => setup(() => ({ addresses: ['192.0.2.1'] }));

  it.each(['localhost', 'cam.localhost'])('%s is always loopback', async (host) => {
    const { dns, addresses } = await setupWithAnswer();
    expect(await addresses(host)).toEqual(['127.0.0.1', '::1']);
    expect(dns.queriedNames).toEqual([]);
  });

  it('a name in the hosts file resolves to its addresses there', async () => {
    const hostsFile = await tempFile('10.0.0.7 cam.test other.test\nfd00::7 CAM.test\n');
    const { dns, addresses } = await setup(() => ({ addresses: ['192.0.2.1'] }), { hostsFile });
    expect(await addresses('cam.test')).toEqual(['10.0.0.7', 'fd00::7']);
    expect(await addresses('other.test')).toEqual(['10.0.0.7']);
    expect(dns.queriedNames).toEqual([]);
    expect(await addresses('third.test')).toEqual(['192.0.2.1']);
  });
});

describe('search domains, as Kubernetes sets them', () => {
  const KUBERNETES = 'search cams.svc.cluster.local svc.cluster.local\noptions ndots:5\n';

  it('are tried before the name itself', async () => {
    const resolvConfFile = await tempFile(KUBERNETES);
    const { dns, addresses } = await setup(
      records({
        'door.cams.svc.cluster.local': { addresses: ['10.0.0.1'] },
        'cam.example.com': { addresses: ['192.0.2.1'] },
      }),
      { resolvConfFile },
    );
    expect(await addresses('door')).toEqual(['10.0.0.1']);
    expect(await addresses('door.cams')).toEqual(['10.0.0.1']);
    expect(await addresses('cam.example.com')).toEqual(['192.0.2.1']);
    expect(dns.queriedNames).toEqual([
      'door.cams.svc.cluster.local',
      'door.cams.cams.svc.cluster.local',
      'door.cams.svc.cluster.local',
      'cam.example.com.cams.svc.cluster.local',
      'cam.example.com.svc.cluster.local',
      'cam.example.com',
    ]);
  });

  it('do not hide the name if they fail', async () => {
    const resolvConfFile = await tempFile(KUBERNETES);
    const { addresses } = await setup(
      (name) => (name === 'cam.test' ? { addresses: ['192.0.2.1'] } : { rcode: SERVFAIL }),
      { resolvConfFile },
    );
    expect(await addresses('cam.test')).toEqual(['192.0.2.1']);
  });

  it('are given up if no server responds', async () => {
    const resolvConfFile = await tempFile(KUBERNETES);
    const query = { timeout: 250, tries: 1 };
    const { dns, resolve } = await setup(() => undefined, { resolvConfFile, query });
    await expect(resolve('cam.test')).rejects.toHaveProperty('code', 'ETIMEOUT');
    expect(new Set(dns.queriedNames)).toEqual(new Set(['cam.test.cams.svc.cluster.local']));
  });
});

it('notices a changed file within ten seconds', async () => {
  let nowMs = 0;
  const hostsFile = await tempFile('10.0.0.7 cam.test\n');
  const { addresses } = await setup(() => ({}), { hostsFile, monoMs: () => nowMs });
  expect(await addresses('cam.test')).toEqual(['10.0.0.7']);
  await writeFile(hostsFile, '10.0.0.8 cam.test\n');
  expect(await addresses('cam.test')).toEqual(['10.0.0.7']);
  nowMs = 10_000;
  expect(await addresses('cam.test')).toEqual(['10.0.0.8']);
});
