import { afterEach, expect, it, onTestFinished } from 'vitest';
import { nameServerEnv } from '../../testing/fleet/asking-name-server.ts';
import { type Api, type Fleet, startFleet } from '../../testing/fleet/fleet.ts';
import { startDns } from '../../worker/src/test-support/dns-server.ts';

/** Far more than the C library can look up at once. */
const SILENT_HOSTS = 200;

let fleet: Fleet;

afterEach(async () => {
  await fleet.checkAndStop();
});

it('host names whose name server is silent do not block other cameras of the source', async () => {
  const dns = await startDns((name) =>
    name.endsWith('.silent.test') ? undefined : { addresses: ['127.0.0.1'] },
  );
  onTestFinished(dns.close);
  fleet = await startFleet({
    env: {
      ALLOWED_SOURCES: 'http://*.test:*/*',
      COLD_WAIT: '60s',
      ...nameServerEnv(dns),
    },
  });
  const [api] = fleet.apis as [Api];
  const on = (host: string) => fleet.slow.camera(host).replace('127.0.0.1', `${host}.test`);
  const silentHosts = Array.from({ length: SILENT_HOSTS }, (_, n) => `cam-${n}.silent`);
  const leaving = new AbortController();
  onTestFinished(() => leaving.abort());
  for (const host of silentHosts) {
    void api.image(on(host), { signal: leaving.signal }).catch(() => {});
  }
  const lookupCount = () =>
    new Set(dns.queriedNames.filter((name) => name.endsWith('.silent.test'))).size;
  await expect.poll(lookupCount, { timeout: 60_000 }).toBeGreaterThan(SILENT_HOSTS / 2);
  for (let n = 0; n < 5; n += 1) {
    const answer = await api.image(on(`good-${n}`));
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
  }
});
