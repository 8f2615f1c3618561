import { parseCameraUrl } from '@lastframe/shared/cameras/camera';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { AddressRefusedError, allowedAddresses, isAllowed, isLoopback } from './address-guard.ts';

const network = (text: string) => ipaddr.parseCIDR(text);

describe('isAllowed', () => {
  it.each(['1.1.1.1', '8.8.8.8', '93.184.216.34', '2606:4700:4700::1111', '2a00:1450::1'])(
    'allows public %s',
    (address) => expect(isAllowed(address, [])).toBe(true),
  );

  it.each([
    ['loopback', '127.0.0.1'],
    ['loopback', '127.255.255.254'],
    ['loopback', '::1'],
    ['this host', '0.0.0.0'],
    ['this network', '0.1.2.3'],
    ['unspecified', '::'],
    ['private', '10.0.0.1'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.1.1'],
    ['unique local', 'fd00::1'],
    ['unique local', 'fc00::1'],
    ['link-local', '169.254.169.254'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['CGNAT', '100.64.0.1'],
    ['CGNAT', '100.127.255.255'],
    ['multicast', '224.0.0.1'],
    ['multicast', 'ff02::1'],
    ['broadcast', '255.255.255.255'],
    ['reserved', '240.0.0.1'],
    ['benchmarking', '198.18.0.1'],
    ['documentation', '192.0.2.1'],
    ['documentation', '2001:db8::1'],
    ['protocol assignments', '192.0.0.8'],
    ['IPv4-mapped loopback', '::ffff:127.0.0.1'],
    ['IPv4-mapped metadata', '::ffff:a9fe:a9fe'],
    ['IPv4-mapped public', '::ffff:1.1.1.1'],
    ['IPv4-compatible', '::127.0.0.1'],
    ['IPv4-compatible', '::a9fe:a9fe'],
    ['IPv4-translated', '::ffff:0:7f00:1'],
    ['NAT64 of loopback', '64:ff9b::7f00:1'],
    ['NAT64 of metadata', '64:ff9b::169.254.169.254'],
    ['local NAT64', '64:ff9b:1::7f00:1'],
    ['6to4 of loopback', '2002:7f00:1::'],
    ['6to4 of metadata', '2002:a9fe:a9fe::1'],
    ['Teredo', '2001::1'],
    ['site-local', 'fec0::1'],
    ['discard', '100::1'],
    ['segment routing', '5f00::1'],
    ['outside public IPv6', '1::1'],
    ['outside public IPv6', '4000::1'],
    ['outside public IPv6', '100:0:0:1::1'],
  ])('refuses %s %s', (_, address) => expect(isAllowed(address, [])).toBe(false));

  it('allows the given networks, and no others', () => {
    const networks = [network('10.20.0.0/16'), network('fd00:1::/32')];
    expect(isAllowed('10.20.3.4', networks)).toBe(true);
    expect(isAllowed('10.21.0.1', networks)).toBe(false);
    expect(isAllowed('fd00:1::5', networks)).toBe(true);
    expect(isAllowed('fd00:2::5', networks)).toBe(false);
  });

  it('does not apply an IPv4 network to the IPv6 forms of its addresses', () => {
    const networks = [network('127.0.0.0/8'), network('0.0.0.0/0')];
    for (const ipv6Form of [
      '::ffff:127.0.0.1',
      '::127.0.0.1',
      '2002:7f00:1::',
      '64:ff9b::7f00:1',
    ]) {
      expect(isAllowed(ipv6Form, networks), ipv6Form).toBe(false);
    }
  });

  it('refuses everything that ipaddr.js does not call unicast, unless a network contains it', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6());
    const networks = [network('10.0.0.0/8'), network('fd00::/8')];
    fc.assert(
      fc.property(address, (text) => {
        const parsed = ipaddr.parse(text);
        const isInNetwork = networks.some(
          ([net, bits]) => net.kind() === parsed.kind() && parsed.match(net, bits),
        );
        if (parsed.range() !== 'unicast') expect(isAllowed(text, networks)).toBe(isInNetwork);
        if (isInNetwork) expect(isAllowed(text, networks)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('refuses every IPv6 address that embeds an IPv4 address', () => {
    const prefixes = ['::', '::ffff:', '::ffff:0:', '64:ff9b::', '64:ff9b:1::'];
    fc.assert(
      fc.property(fc.constantFrom(...prefixes), fc.ipV4(), (prefix, v4) => {
        expect(isAllowed(prefix + v4, [])).toBe(false);
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff }), (high) => {
        expect(isAllowed(`2002:${high.toString(16)}:1::1`, [])).toBe(false);
      }),
    );
  });
});

describe('allowedAddresses', () => {
  it.each([
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://127.0.1/',
    'http://0/',
    'http://0x7f.1/',
    'http://%31%32%37.0.0.1/',
    'http://①②⑦.0.0.1/',
    'http://127。0。0。1/',
    'http://127.0.0.1./',
    'http://[::1]/',
    'http://[0:0:0:0:0:0:0:1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::127.0.0.1]/',
    'http://[2002:7f00:1::]/',
    'http://169.254.169.254/',
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://[::ffff:169.254.169.254]/',
    'http://[fe80::a9fe:a9fe]/',
    'http://localhost/',
    'http://localhost./',
    'http://LOCALHOST/',
  ])('refuses %s, however the address is written', async (text) => {
    const host = parseCameraUrl(text).hostname;
    await expect(allowedAddresses(host, [])).rejects.toThrow(AddressRefusedError);
  });

  it('returns an address literal as it is, without brackets', async () => {
    expect(await allowedAddresses('1.1.1.1', [])).toEqual([{ address: '1.1.1.1', family: 4 }]);
    expect(await allowedAddresses('[2606:4700::1111]', [])).toEqual([
      { address: '2606:4700::1111', family: 6 },
    ]);
  });

  it('returns only the allowed addresses of a name', async () => {
    const found = await allowedAddresses('localhost', [network('127.0.0.0/8')]);
    expect(found).toEqual([{ address: '127.0.0.1', family: 4 }]);
  });

  it("rejects with the resolver's error", async () => {
    await expect(allowedAddresses('no-such-host.invalid', [])).rejects.toHaveProperty('code');
  });
});

describe('isLoopback', () => {
  it.each(['127.0.0.1', '::1', '::ffff:127.0.0.1'])('%s is loopback', (address) => {
    expect(isLoopback(address)).toBe(true);
  });

  it.each(['10.0.0.1', '::', '', 'localhost', '::ffff:10.0.0.1'])('%j is not', (address) => {
    expect(isLoopback(address)).toBe(false);
  });
});
