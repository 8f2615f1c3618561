import { expect, it } from 'vitest';
import { clientGroup } from './client-group.ts';

it('an IPv6 network of 64 bits is one client, an IPv4 address in IPv6 dress is that address', () => {
  expect(clientGroup('2001:db8::1')).toBe(clientGroup('2001:db8:0:0:ffff::2'));
  expect(clientGroup('2001:db8::1')).not.toBe(clientGroup('2001:db8:0:1::1'));
  expect(clientGroup('::ffff:1.1.1.1')).toBe('1.1.1.1');
  expect(clientGroup('')).toBe('');
});
