import ipaddr from 'ipaddr.js';
import { beforeEach, expect, it } from 'vitest';
import { neverAborted, punctual } from '../../test-support/calls.ts';
import { startCamera } from '../../test-support/camera-server.ts';
import { testCamera, testSource } from '../../test-support/cameras.ts';
import { spyOnLookup } from '../../test-support/spy-on-lookup.ts';
import { createByteBudget } from '../byte-budget.ts';
import { createPrepareCall } from '../prepare-call.ts';
import { AddressRefusedError, allowedAddresses } from './address-guard.ts';

const prepareCameraCall = createPrepareCall(
  createByteBudget(64 * 1024 ** 2),
  () => undefined,
  punctual,
);

const dns = spyOnLookup();
const at = (address: string) => ({ address, family: address.includes(':') ? 6 : 4 });

beforeEach(() => {
  dns.mockReset();
});

it('drops the refused addresses of a name', async () => {
  dns.mockResolvedValue(['10.0.0.1', '1.1.1.1', '::ffff:127.0.0.1', '2606:4700::1111'].map(at));
  expect(await allowedAddresses('cams.test', [])).toEqual(['1.1.1.1', '2606:4700::1111'].map(at));
});

it('keeps a few allowed addresses of each family, however many there are', async () => {
  const refused = Array.from({ length: 1000 }, (_, n) => `10.0.${n >> 8}.${n & 255}`);
  const allowed = Array.from({ length: 1000 }, (_, n) => `1.1.${n >> 8}.${n & 255}`);
  dns.mockResolvedValue([...refused, ...allowed, '::1', '2606:4700::1'].map(at));
  expect(await allowedAddresses('many.test', [])).toEqual(
    ['1.1.0.0', '1.1.0.1', '1.1.0.2', '1.1.0.3', '2606:4700::1'].map(at),
  );
});

it.each([
  '127.0.0.1',
  '169.254.169.254',
  '::1',
  '::ffff:10.0.0.1',
  '64:ff9b::7f00:1',
  'fe80::1%lo',
])('refuses a name that resolves to %s', async (address) => {
  dns.mockResolvedValue([at(address)]);
  await expect(allowedAddresses('evil.test', [])).rejects.toThrow(AddressRefusedError);
});

it('looks a name up once per call, so that a changed answer gains nothing', async () => {
  const server = await startCamera(() => {});
  const networks = [ipaddr.parseCIDR('127.0.0.2/32')];
  dns.mockResolvedValueOnce([at('127.0.0.2')]).mockResolvedValue([at('127.0.0.1')]);
  const camera = testCamera(`http://rebind.test:${server.port}/`, testSource({ networks }));
  // Nothing listens at the first address; the server is at the second.
  const prepared = await prepareCameraCall(camera, 10_000, neverAborted);
  expect(prepared).toMatchObject({ outcome: 'failed', status: 502 });
  await server.roundTrip();
  expect(server.connections).toBe(0);
  expect(dns).toHaveBeenCalledTimes(1);
});

it('shares one lookup among concurrent calls to a host, and repeats it for the next call', async () => {
  const answer = Promise.withResolvers<{ address: string; family: number }[]>();
  dns.mockReturnValueOnce(answer.promise).mockResolvedValue([at('1.1.1.2')]);
  const lookups = Array.from({ length: 100 }, () => allowedAddresses('slow.test', []));
  expect(dns).toHaveBeenCalledTimes(1);
  answer.resolve([at('1.1.1.1')]);
  for (const found of await Promise.all(lookups)) expect(found).toEqual([at('1.1.1.1')]);
  expect(await allowedAddresses('slow.test', [])).toEqual([at('1.1.1.2')]);
});

it('rejects every waiting call if the lookup fails, and retries for the next call', async () => {
  const failing = Promise.withResolvers<{ address: string; family: number }[]>();
  dns.mockReturnValueOnce(failing.promise).mockResolvedValue([at('1.1.1.1')]);
  const lookups = [allowedAddresses('dead.test', []), allowedAddresses('dead.test', [])];
  failing.reject(Object.assign(new Error('dead'), { code: 'EAI_AGAIN' }));
  expect((await Promise.allSettled(lookups)).map(({ status }) => status)).toEqual([
    'rejected',
    'rejected',
  ]);
  expect(await allowedAddresses('dead.test', [])).toEqual([at('1.1.1.1')]);
});

it('names the lookup if a call ends in it', async () => {
  dns.mockReturnValue(new Promise(() => {}));
  const camera = testCamera('http://silent.test/', testSource({ startAllowanceMs: 100 }));
  const prepared = await prepareCameraCall(camera, 100, neverAborted);
  const reason = expect.stringMatching(/^the name servers did not resolve .* startAllowance/);
  expect(prepared).toMatchObject({ outcome: 'failed', status: 504, reason, error: 'dns_timeout' });
});
