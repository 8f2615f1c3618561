import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import ipaddr from 'ipaddr.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { neverAborted, punctual } from '../../test-support/calls.ts';
import { ok } from '../../test-support/camera-server.ts';
import { testCamera, testSource } from '../../test-support/cameras.ts';
import { type DnsServer, startDns } from '../../test-support/dns-server.ts';
import { image } from '../../test-support/images.ts';
import { lookUpAt, spyOnLookup } from '../../test-support/spy-on-lookup.ts';
import { createByteBudget } from '../byte-budget.ts';
import { createPrepareCall } from '../prepare-call.ts';

// The worker queries the machine's name servers; here it queries the test's own.
const lookup = spyOnLookup();

const prepare = createPrepareCall(createByteBudget(64 * 1024 ** 2), () => undefined, punctual);
/** Stands for a public address; the only one that may be called. */
const ALLOWED = '127.0.0.2';

const useDns = async (answers: (nth: number) => string[]): Promise<DnsServer> => {
  const dns = await startDns((_, nth) => ({ addresses: answers(nth) }));
  onTestFinished(dns.close);
  lookup.mockImplementation(lookUpAt(dns.address));
  return dns;
};

/** Listens on one port of several addresses, and counts the connections to each. */
async function startListeners(...addresses: string[]) {
  const reached: Record<string, number> = {};
  let request = '';
  const listen = async (port: number, address: string) => {
    const server = createServer((socket) => {
      reached[address] = (reached[address] ?? 0) + 1;
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        request += bytes;
        socket.write(ok(image('jpeg')));
      });
    });
    onTestFinished(() => void server.close());
    await once(server.listen(port, address), 'listening');
    return (server.address() as AddressInfo).port;
  };
  /** Retries if a port that is free on the first address is in use on another. */
  const listenOnAll = async (): Promise<number> => {
    let port = 0;
    try {
      for (const address of addresses) port = await listen(port, address);
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      return await listenOnAll();
    }
  };
  return { port: await listenOnAll(), reached, request: () => request };
}

async function call(port: number, networks = [`${ALLOWED}/32`]) {
  const source = testSource({ networks: networks.map((text) => ipaddr.parseCIDR(text)) });
  const prepared = await prepare(
    testCamera(`http://rebind.test:${port}/i`, source),
    4000,
    neverAborted,
  );
  return prepared.outcome === 'connected' ? await prepared.call.send(neverAborted) : prepared;
}

describe('a DNS server that changes its answer', () => {
  it('CVE-2026-94483 (Next.js): is not queried again between check and connection', async () => {
    const { port, reached, request } = await startListeners(ALLOWED, '127.0.0.1');
    const dns = await useDns((nth) => [nth === 0 ? ALLOWED : '127.0.0.1']);
    expect(await call(port)).toMatchObject({ outcome: 'captured' });
    expect(dns.queriedNames).toHaveLength(1);
    expect(reached).toEqual({ [ALLOWED]: 1 });
    expect(request()).toContain(`Host: rebind.test:${port}\r\n`);
  });

  it('is queried again by the next call, which refuses the new address', async () => {
    const { port, reached } = await startListeners(ALLOWED, '127.0.0.1');
    const dns = await useDns((nth) => [nth === 0 ? ALLOWED : '127.0.0.1']);
    await call(port);
    expect(await call(port)).toMatchObject({ outcome: 'failed', status: 403 });
    expect(dns.queriedNames).toHaveLength(2);
    expect(reached).toEqual({ [ALLOWED]: 1 });
  });

  it('gains nothing in fifty calls, with one lookup each', async () => {
    const { port, reached } = await startListeners(ALLOWED, '127.0.0.1');
    const dns = await useDns((nth) => [nth % 2 === 0 ? ALLOWED : '127.0.0.1']);
    for (let n = 0; n < 50; n += 1) await call(port);
    expect(dns.queriedNames).toHaveLength(50);
    expect(reached).toEqual({ [ALLOWED]: 25 });
  });

  it('reaches the other address if that is allowed, which proves the listener works', async () => {
    const { port, reached } = await startListeners('127.0.0.1');
    await useDns(() => ['127.0.0.1']);
    expect(await call(port, ['127.0.0.0/8'])).toMatchObject({ outcome: 'captured' });
    expect(reached).toEqual({ '127.0.0.1': 1 });
  });
});

describe('a name with several addresses', () => {
  it.each([
    ['A refused, AAAA refused', ['127.0.0.1', '::1']],
    ['an IPv4-mapped AAAA', ['::ffff:127.0.0.1', '::ffff:127.0.0.2']],
    ['NAT64 and 6to4', ['64:ff9b::7f00:1', '2002:7f00:1::1']],
    ['metadata and private', ['169.254.169.254', '10.0.0.1', 'fd00::1']],
    ['this host', ['0.0.0.0', '::']],
  ])('is refused: %s', async (_, addresses) => {
    const { port, reached } = await startListeners('127.0.0.1', '::1');
    await useDns(() => addresses);
    expect(await call(port)).toMatchObject({ outcome: 'failed', status: 403 });
    expect(reached).toEqual({});
  });

  it.each(['localhost', 'metadata.internal', 'a.b.c.d.test'])(
    'is refused if it is an alias of %s, which is private',
    async (alias) => {
      const { port, reached } = await startListeners('127.0.0.1');
      const aliases = [...Array.from({ length: 30 }, (_, n) => `hop-${n}.test`), alias];
      const dns = await startDns(() => ({ aliases, addresses: ['127.0.0.1', '::1'] }));
      onTestFinished(dns.close);
      lookup.mockImplementation(lookUpAt(dns.address));
      expect(await call(port)).toMatchObject({ outcome: 'failed', status: 403 });
      expect(reached).toEqual({});
    },
  );

  it('is called only at the allowed one, wherever it is in the answer', async () => {
    for (const addresses of [
      ['127.0.0.1', ALLOWED, '::1', '10.0.0.1'],
      ['::1', '127.0.0.1', '169.254.169.254', ALLOWED],
    ]) {
      const { port, reached } = await startListeners(ALLOWED, '127.0.0.1', '::1');
      await useDns(() => addresses);
      expect(await call(port)).toMatchObject({ outcome: 'captured' });
      expect(reached).toEqual({ [ALLOWED]: 1 });
    }
  });

  it('does not fall back from a dead, allowed AAAA to a refused A', async () => {
    const { port, reached } = await startListeners('127.0.0.1');
    await useDns(() => ['127.0.0.1', '::1']);
    expect(await call(port, ['::1/128'])).toMatchObject({ outcome: 'failed', status: 502 });
    expect(reached).toEqual({});
  });

  it('is called over IPv6 if only that is allowed', async () => {
    const { port, reached } = await startListeners('127.0.0.1', '::1');
    await useDns(() => ['127.0.0.1', '::1']);
    expect(await call(port, ['::1/128'])).toMatchObject({ outcome: 'captured' });
    expect(reached).toEqual({ '::1': 1 });
  });
});
