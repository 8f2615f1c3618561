import dns from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';
import { setImmediate } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createMulticastLookup, isMulticastName } from './multicast-names.ts';

it.each([
  ['camera.local', true],
  ['local', false],
  ['cam.svc.cluster.local', false],
  ['camera.local.test', false],
  ['camera.localhost', false],
])('%s is a multicast DNS name: %s', (host, expected) => {
  expect(isMulticastName(host)).toBe(expected);
});

it('looks names up one at a time, and rejects those beyond the limit', async () => {
  const queriedHosts: string[] = [];
  let underWay = 0;
  let mostUnderWay = 0;
  const spy = vi.spyOn(dns, 'lookup').mockImplementation((async (host: string) => {
    queriedHosts.push(host);
    underWay += 1;
    mostUnderWay = Math.max(mostUnderWay, underWay);
    await setImmediate();
    underWay -= 1;
    throw new Error('unknown');
  }) as never);
  syncBuiltinESMExports();
  onTestFinished(() => {
    spy.mockRestore();
    syncBuiltinESMExports();
  });
  const lookUp = createMulticastLookup();
  const hosts = Array.from({ length: 100 }, (_, n) => `cam-${n}.local`);
  const found = Promise.allSettled(hosts.map(lookUp));
  await expect(lookUp('one-more.local')).rejects.toHaveProperty('code', 'EAI_AGAIN');
  await found;
  expect(queriedHosts).toEqual(hosts);
  expect(mostUnderWay).toBe(1);
  await expect(lookUp('later.local')).rejects.toThrow('unknown');
});
