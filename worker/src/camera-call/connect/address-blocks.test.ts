import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { isAllowed } from './address-guard.ts';

/** IANA's special-purpose registries, and cloud metadata at addresses that look public. */
const REFUSED_IPV4 = {
  '0.0.0.0/8': 'this network',
  '10.0.0.0/8': 'private',
  '100.64.0.0/10': "CGNAT, with Alibaba's metadata at 100.100.100.200",
  '127.0.0.0/8': 'loopback',
  '168.63.129.16/32': "Azure's wire server",
  '169.254.0.0/16': 'link-local, with the metadata of AWS, ECS, GCP, Azure and Oracle',
  '172.16.0.0/12': 'private',
  '192.0.0.0/24': 'protocol assignments',
  '192.0.2.0/24': 'documentation',
  '192.31.196.0/24': 'AS112',
  '192.52.193.0/24': 'AMT',
  '192.88.99.0/24': '6to4 relays',
  '192.168.0.0/16': 'private',
  '192.175.48.0/24': 'AS112',
  '198.18.0.0/15': 'benchmarking',
  '198.51.100.0/24': 'documentation',
  '203.0.113.0/24': 'documentation',
  '224.0.0.0/4': 'multicast',
  '240.0.0.0/4': 'reserved',
  '255.255.255.255/32': 'broadcast',
};

const REFUSED_IPV6 = {
  '::/3': 'everything below 2000::, including the next entries',
  '::/96': 'IPv4-compatible, unspecified, loopback',
  '::ffff:0:0/96': 'IPv4-mapped',
  '::ffff:0:0:0/96': 'IPv4-translated',
  '64:ff9b::/96': 'NAT64',
  '64:ff9b:1::/48': 'local NAT64',
  '100::/64': 'discard',
  '100:0:0:1::/64': 'dummy prefix',
  '2001::/23': 'protocol assignments, including the next entries',
  '2001::/32': 'Teredo',
  '2001:2::/48': 'benchmarking',
  '2001:3::/32': 'AMT',
  '2001:4:112::/48': 'AS112',
  '2001:10::/28': 'ORCHID',
  '2001:20::/28': 'ORCHIDv2',
  '2001:30::/28': 'drones',
  '2001:db8::/32': 'documentation',
  '2002::/16': '6to4',
  '2620:4f:8000::/48': 'AS112',
  '2d00::/8': 'reserved by IANA',
  '2e00::/7': 'reserved by IANA',
  '3000::/4': 'reserved by IANA, including the next entries',
  '3ffe::/16': '6bone',
  '3fff::/20': 'documentation',
  '4000::/2': 'part of everything above 3fff::',
  '5f00::/16': 'segment routing',
  '8000::/1': 'part of everything above 3fff::',
  'fc00::/7': 'unique local, with the metadata of AWS at fd00:ec2::254',
  'fe80::/10': 'link-local',
  'fec0::/10': 'site-local',
  'ff00::/8': 'multicast',
};

type Ip = ipaddr.IPv4 | ipaddr.IPv6;
type Block = [Ip, number];

const blocks = [...Object.keys(REFUSED_IPV4), ...Object.keys(REFUSED_IPV6)].map(
  (text): Block => ipaddr.parseCIDR(text),
);
const isInSome = (address: Ip) =>
  blocks.some(
    ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
  );

const toInteger = (address: Ip) =>
  BigInt(`0x${Buffer.from(address.toByteArray()).toString('hex')}`);

/** Returns undefined below the first address and above the last. */
function addressAt(value: bigint, bytes: number): Ip | undefined {
  if (value < 0n || value >= 1n << BigInt(bytes * 8)) return undefined;
  const hex = value.toString(16).padStart(bytes * 2, '0');
  return ipaddr.fromByteArray([...Buffer.from(hex, 'hex')]);
}

/** Returns a block's first and last address, and the neighbours on both sides. */
function edgesOf([network, bits]: Block) {
  const bytes = network.toByteArray().length;
  const first = toInteger(network);
  const last = first + (1n << BigInt(bytes * 8 - bits)) - 1n;
  const present = (...values: bigint[]) =>
    values.map((value) => addressAt(value, bytes)).filter((address) => address !== undefined);
  return { inside: present(first, last), outside: present(first - 1n, last + 1n) };
}

describe('special-purpose address blocks', () => {
  it.each([...Object.entries(REFUSED_IPV4), ...Object.entries(REFUSED_IPV6)])(
    '%s (%s) is refused from its first address to its last, and no further',
    (text) => {
      const { inside, outside } = edgesOf(ipaddr.parseCIDR(text));
      for (const address of inside)
        expect(isAllowed(String(address), []), `${address}`).toBe(false);
      for (const address of outside) {
        expect(isAllowed(String(address), []), `${address}`).toBe(!isInSome(address));
      }
    },
  );

  it.each([...Object.keys(REFUSED_IPV4), ...Object.keys(REFUSED_IPV6)])(
    '%s is allowed if the operator allows it',
    (text) => {
      const network = ipaddr.parseCIDR(text);
      for (const address of edgesOf(network).inside) {
        expect(isAllowed(String(address), [network]), `${address}`).toBe(true);
      }
    },
  );

  it.each([
    '100.100.100.200',
    '168.63.129.16',
    '169.254.169.254',
    '169.254.170.2',
    '169.254.42.42',
    '192.0.0.192',
    'fd00:ec2::254',
    'fd20:ce::254',
    'fe80::a9fe:a9fe',
  ])('the metadata address %s is refused', (address) => {
    expect(isAllowed(address, [])).toBe(false);
  });

  it.each(['1.0.0.0', '168.63.129.15', '168.63.129.17', '223.255.255.255', '2003::1', '2a10::1'])(
    'public %s is allowed',
    (address) => expect(isAllowed(address, [])).toBe(true),
  );

  it('are the only refused addresses', () => {
    const publicIpv6 = fc
      .tuple(fc.constantFrom(0x2001, 0x2400, 0x2600, 0x2a00, 0x2c0f, 0x3ffe, 0x2d00), fc.ipV6())
      .map(([first, rest]) => {
        const [, ...parts] = ipaddr.IPv6.parse(rest).parts;
        return new ipaddr.IPv6([first, ...parts]).toString();
      });
    const isIsatap = (text: string) => /^([^:]*:){4}(0|200):5efe:/.test(text);
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), publicIpv6), (text) => {
        const address = ipaddr.parse(text);
        if (isIsatap(address.toNormalizedString())) return;
        expect(isAllowed(text, []), text).toBe(!isInSome(address));
      }),
      { numRuns: 5000 },
    );
  });
});

describe('ISATAP', () => {
  it.each([
    '2606:4700::5efe:7f00:1',
    '2606:4700:0:1:200:5efe:10.0.0.1',
    '2a00::5efe:169.254.169.254',
  ])('%s embeds an IPv4 address and is refused', (address) =>
    expect(isAllowed(address, [])).toBe(false),
  );

  it.each(['2606:4700::1:5efe:7f00:1', '2606:4700::5eff:7f00:1', '2606:5efe::1'])(
    '%s only resembles it and is allowed',
    (address) => expect(isAllowed(address, [])).toBe(true),
  );
});
