import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import type { Network } from '@lastframe/shared/cameras/source';
import ipaddr from 'ipaddr.js';
import { createHostResolver } from './dns/resolve-host.ts';

export interface Address {
  address: string;
  family: 4 | 6;
}

/** The camera's host is, or resolves to, an address that the operator didn't allow. */
export class AddressRefusedError extends Error {
  constructor(host: string) {
    super(`${host} has no address that may be called`);
    this.name = 'AddressRefusedError';
  }
}

/**
 * The addresses of a host that may be called: public ones, and those in the given networks. They
 * are what is connected to: a second look-up could give others (DNS rebinding).
 * @throws AddressRefusedError, or the resolver's error
 */
export async function allowedAddresses(
  host: string,
  networks: readonly Network[],
): Promise<Address[]> {
  const literal = host.replace(/^\[(.*)\]$/, '$1');
  const found = isIP(literal)
    ? [{ address: literal, family: isIP(literal) }]
    : await lookUpOnce(literal);
  const allowed = found.filter(({ address }) => isAllowed(address, networks));
  if (allowed.length === 0) throw new AddressRefusedError(host);
  return firstOfEachFamily(allowed as Address[]);
}

const resolveHost = createHostResolver();
const lookingUp = new Map<string, Promise<LookupAddress[]>>();

/** One look-up at a time for a host, however many cameras it has. */
function lookUpOnce(host: string): Promise<LookupAddress[]> {
  const underWay = lookingUp.get(host);
  if (underWay) return underWay;
  const found = resolveHost(host).finally(() => lookingUp.delete(host));
  lookingUp.set(host, found);
  return found;
}

/** So many of each family are tried: an answer of thousands must not make one call a port scan. */
const MAX_TRIED = 4;

function firstOfEachFamily(addresses: readonly Address[]): Address[] {
  return ([4, 6] as const).flatMap((wanted) =>
    addresses.filter(({ family }) => family === wanted).slice(0, MAX_TRIED),
  );
}

/**
 * The parts of 2000::/3 from which IANA assigns addresses; the rest is reserved, or was returned
 * (3ffe::/16). Outside of 2000::/3 ipaddr.js calls much unicast that is not public, such as the
 * IPv4-compatible `::/96`, which leads to IPv4 addresses.
 */
const PUBLIC_IPV6 = ['2000::/5', '2800::/6', '2c00::/8'].map((text) => ipaddr.parseCIDR(text));

/** Looks public, but answers with a virtual machine's credentials when asked from inside Azure. */
const AZURE_METADATA = '168.63.129.16';

/** Everything that is not plain public unicast needs a network that holds it. */
export function isAllowed(text: string, networks: readonly Network[]): boolean {
  const address = ipaddr.parse(text);
  const inNetwork = networks.some(
    ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
  );
  return inNetwork || isPublic(address);
}

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast') return false;
  if (address instanceof ipaddr.IPv4) return address.toString() !== AZURE_METADATA;
  return PUBLIC_IPV6.some((block) => address.match(block)) && !isIsatap(address);
}

/** ISATAP (RFC 5214): an IPv4 address behind `0:5efe` or `200:5efe`, whatever the first half is. */
function isIsatap({ parts }: ipaddr.IPv6): boolean {
  return parts[5] === 0x5efe && (parts[4] === 0 || parts[4] === 0x200);
}

/** Whether the other end of a connection is this machine. */
export function isLoopback(text: string): boolean {
  return ipaddr.isValid(text) && ipaddr.process(text).range() === 'loopback';
}
