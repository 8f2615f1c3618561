import { parseNetwork } from '@lastframe/shared/source';
import { expect, it } from 'vitest';
import { clientAddress, clientGroup } from './client-address.ts';

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
])('asked from %s with X-Forwarded-For %s, the client is %s', (remote, forwarded, client) => {
  expect(clientAddress(remote, forwarded, proxies)).toBe(client);
});

it('without proxies nobody is believed', () => {
  expect(clientAddress('10.0.0.1', '1.1.1.1', [])).toBe('10.0.0.1');
});

it('an IPv6 network of 64 bits is one client, an IPv4 address in IPv6 dress is that address', () => {
  expect(clientGroup('2001:db8::1')).toBe(clientGroup('2001:db8:0:0:ffff::2'));
  expect(clientGroup('2001:db8::1')).not.toBe(clientGroup('2001:db8:0:1::1'));
  expect(clientGroup('::ffff:1.1.1.1')).toBe('1.1.1.1');
  expect(clientGroup('')).toBe('');
});

it('only the end of a long X-Forwarded-For is read, which the proxies wrote', () => {
  const forged = '6.6.6.6, '.repeat(3000);
  expect(clientAddress('10.0.0.1', `${forged}1.1.1.1, 10.0.0.2`, proxies)).toBe('1.1.1.1');
  expect(clientAddress('10.0.0.1', '10.0.0.2,'.repeat(3000), proxies)).toBe('10.0.0.1');
});
