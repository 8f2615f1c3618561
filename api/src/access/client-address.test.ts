import { parseNetwork } from '@lastframe/shared/cameras/source';
import { expect, it } from 'vitest';
import { clientAddress } from './client-address.ts';

const proxies = ['10.0.0.0/8', '::1'].map((text) => {
  const network = parseNetwork(text);
  if (!network) throw new Error(text);
  return network;
});

it.each([
  ['9.9.9.9', undefined, '9.9.9.9'],
  ['9.9.9.9', '1.1.1.1', '9.9.9.9'],
  ['10.0.0.1', undefined, '10.0.0.1'],
  ['10.0.0.1', '1.1.1.1', '1.1.1.1'],
  ['::ffff:10.0.0.1', '1.1.1.1', '1.1.1.1'],
  ['10.0.0.1', '6.6.6.6, 1.1.1.1', '1.1.1.1'],
  ['10.0.0.1', '6.6.6.6, 1.1.1.1, 10.0.0.2', '1.1.1.1'],
  ['10.0.0.1', '10.6.6.6, 1.1.1.1:443', '1.1.1.1'],
  ['::1', '6.6.6.6, [2001:db8::1]:443', '2001:db8::1'],
  ['10.0.0.1', '1.1.1.1, unknown', '10.0.0.1'],
  ['10.0.0.1', '1.1.1.1, unknown, 10.0.0.2', '10.0.0.2'],
  ['10.0.0.1', '', '10.0.0.1'],
  ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  [undefined, '1.1.1.1', ''],
  ['10.0.0.1', '6.6.6.6, 2001:db8::1', '2001:db8::1'],
  ['10.0.0.1', '6.6.6.6, [2001:db8::1]', '2001:db8::1'],
  ['10.0.0.1', '6.6.6.6, fe80::1%eth0', 'fe80::1%eth0'],
  ['10.0.0.1', '6.6.6.6, ::ffff:1.1.1.1', '::ffff:1.1.1.1'],
  ['10.0.0.1', '6.6.6.6, 0x01.1.1.1', '10.0.0.1'],
  ['10.0.0.1', '6.6.6.6, 16843009', '10.0.0.1'],
  ['10.0.0.1', '6.6.6.6, 1.1.1', '10.0.0.1'],
  ['10.0.0.1', '6.6.6.6, 01.1.1.1', '10.0.0.1'],
  ['10.0.0.1', '6.6.6.6, 1.1.1.1:', '10.0.0.1'],
  ['10.0.0.1', '6.6.6.6, "1.1.1.1"', '10.0.0.1'],
  ['10.0.0.1', '6.6.6.6,', '10.0.0.1'],
  ['10.0.0.1', ',1.1.1.1,10.0.0.2', '1.1.1.1'],
  ['10.0.0.1', '1.1.1.1\t', '1.1.1.1'],
  ['10.0.0.1', `${','.repeat(30_000)}1.1.1.1`, '1.1.1.1'],
])('from %s with X-Forwarded-For %s, the client is %s', (remote, forwarded, client) => {
  expect(clientAddress(remote, forwarded, proxies)).toBe(client);
});

it('ignores X-Forwarded-For without trusted proxies', () => {
  expect(clientAddress('10.0.0.1', '1.1.1.1', [])).toBe('10.0.0.1');
});

it('reads only the end of a long X-Forwarded-For, which the proxies wrote', () => {
  const forged = '6.6.6.6, '.repeat(3000);
  expect(clientAddress('10.0.0.1', `${forged}1.1.1.1, 10.0.0.2`, proxies)).toBe('1.1.1.1');
  expect(clientAddress('10.0.0.1', '10.0.0.2,'.repeat(3000), proxies)).toBe('10.0.0.1');
});
