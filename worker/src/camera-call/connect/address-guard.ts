import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { withoutBrackets } from '@lastframe/shared/cameras/host-name';
import { isInNetworks, type Network } from '@lastframe/shared/cameras/source';
import ipaddr from 'ipaddr.js';
import { createHostResolver } from '../dns/resolve-host.ts';

export interface Address {
  address: string;
  family: 4 | 6;
}

/** The camera's host has no address that the operator allows. */
export class AddressRefusedError extends Error {
  constructor(host: string) {
    super(`${host} has no address that may be called`);
    this.name = 'AddressRefusedError';
  }
}

/**
 * Returns the host's addresses that may be called: public ones, and those in the given networks.
 * Connect only to these: a second lookup could return others (DNS rebinding).
 * @throws AddressRefusedError, or the resolver's error
 */
export async function allowedAddresses(
  host: string,
  networks: readonly Network[],
): Promise<Address[]> {
  const literal = withoutBrackets(host);
  const found = isIP(literal)
    ? [{ address: literal, family: isIP(literal) }]
    : await sharedLookup(literal);
  const allowed = found.filter(({ address }) => isAllowed(address, networks));
  if (allowed.length === 0) throw new AddressRefusedError(host);
  return firstOfEachFamily(allowed as Address[]);
}

const resolveHost = createHostResolver();
const lookups = new Map<string, Promise<LookupAddress[]>>();

/** Shares one lookup among concurrent calls to a host. */
function sharedLookup(host: string): Promise<LookupAddress[]> {
  const pending = lookups.get(host);
  if (pending) return pending;
  const lookup = resolveHost(host).finally(() => lookups.delete(host));
  lookups.set(host, lookup);
  return lookup;
}

/** An answer with thousands of addresses must not turn one call into a port scan. */
const MAX_PER_FAMILY = 4;

function firstOfEachFamily(addresses: readonly Address[]): Address[] {
  return ([4, 6] as const).flatMap((wantedFamily) =>
    addresses.filter(({ family }) => family === wantedFamily).slice(0, MAX_PER_FAMILY),
  );
}

/**
 * The parts of 2000::/3 from which IANA assigns addresses; the rest is reserved, or was returned
 * (3ffe::/16). Outside 2000::/3, ipaddr.js calls some addresses unicast that are not public, such
 * as the IPv4-compatible `::/96`.
 */
const PUBLIC_IPV6 = ['2000::/5', '2800::/6', '2c00::/8'].map((text) => ipaddr.parseCIDR(text));

/** Looks public, but serves a virtual machine's credentials inside Azure. */
const AZURE_METADATA = '168.63.129.16';

/** Returns whether an address is plain public unicast, or in one of the networks. */
export function isAllowed(text: string, networks: readonly Network[]): boolean {
  const address = ipaddr.parse(text);
  return isInNetworks(address, networks) || isPublic(address);
}

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast') return false;
  if (address instanceof ipaddr.IPv4) return address.toString() !== AZURE_METADATA;
  return PUBLIC_IPV6.some((block) => address.match(block)) && !isIsatap(address);
}

/** ISATAP (RFC 5214): an IPv4 address after `0:5efe` or `200:5efe`, whatever the first half is. */
function isIsatap({ parts }: ipaddr.IPv6): boolean {
  return parts[5] === 0x5efe && (parts[4] === 0 || parts[4] === 0x200);
}

/** Returns whether the address at the other end of a connection is this machine. */
export function isLoopback(text: string): boolean {
  return ipaddr.isValid(text) && ipaddr.process(text).range() === 'loopback';
}
