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
    : await lookup(literal, { all: true });
  const allowed = found.filter(({ address }) => isAllowed(address, networks));
  if (allowed.length === 0) throw new AddressRefusedError(host);
  return allowed as Address[];
}

/** Everything that is not plain public unicast needs a network that holds it. */
export function isAllowed(text: string, networks: readonly Network[]): boolean {
  const address = ipaddr.parse(text);
  const inNetwork = networks.some(
    ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
  );
  // ipaddr.js takes the deprecated IPv4-compatible ::/96 for unicast; it leads to IPv4 addresses.
  const compatible = address.kind() === 'ipv6' && address.match(ipaddr.parseCIDR('::/96'));
  return inNetwork || (address.range() === 'unicast' && !compatible);
}

/** Whether the other end of a connection is this machine. */
export function isLoopback(text: string): boolean {
  return ipaddr.isValid(text) && ipaddr.process(text).range() === 'loopback';
}
