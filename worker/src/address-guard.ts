import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Network } from '@lastframe/shared/source';
import ipaddr from 'ipaddr.js';

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
  return allowed as Address[];
}

const lookingUp = new Map<string, Promise<LookupAddress[]>>();

/**
 * One look-up at a time for a host: getaddrinfo has four threads in all, and a hundred cameras on a
 * host whose DNS is silent would keep every other camera from being resolved within its allowance.
 */
function lookUpOnce(host: string): Promise<LookupAddress[]> {
  const underWay = lookingUp.get(host);
  if (underWay) return underWay;
  const found = lookup(host, { all: true }).finally(() => lookingUp.delete(host));
  lookingUp.set(host, found);
  return found;
}

/**
 * IPv6's public unicast. ipaddr.js calls everything unicast that it knows no other name for, as the
 * IPv4-compatible `::/96`, which leads to IPv4 addresses.
 */
const PUBLIC_IPV6 = ipaddr.parseCIDR('2000::/3');

/** Everything that is not plain public unicast needs a network that holds it. */
export function isAllowed(text: string, networks: readonly Network[]): boolean {
  const address = ipaddr.parse(text);
  const inNetwork = networks.some(
    ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
  );
  const global = address.kind() === 'ipv4' || address.match(PUBLIC_IPV6);
  return inNetwork || (address.range() === 'unicast' && global);
}

/** Whether the other end of a connection is this machine. */
export function isLoopback(text: string): boolean {
  return ipaddr.isValid(text) && ipaddr.process(text).range() === 'loopback';
}
