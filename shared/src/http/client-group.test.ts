import { expect, it } from 'vitest';
import { clientGroup } from './client-group.ts';

it('an IPv6 /64 is one client, and an IPv4-mapped address is its IPv4 address', () => {
  expect(clientGroup('2001:db8::1')).toBe(clientGroup('2001:db8:0:0:ffff::2'));
  expect(clientGroup('2001:db8::1')).not.toBe(clientGroup('2001:db8:0:1::1'));
  expect(clientGroup('::ffff:1.1.1.1')).toBe('1.1.1.1');
  expect(clientGroup('')).toBe('');
});
