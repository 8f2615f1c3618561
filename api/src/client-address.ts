import type { Network } from '@lastframe/shared/source';
import ipaddr from 'ipaddr.js';

/** Room for some thirty proxies in a row. */
const MAX_LENGTH = 1024;

/**
 * Who asks: the other end of the connection, or whom the operator's proxies say it is. Each proxy
 * adds the address it was asked from at the end, so the last that is no proxy of ours is believed;
 * what stands before it is the client's own tale.
 */
export function clientAddress(
  remote: string | undefined,
  forwardedFor: string | undefined,
  proxies: readonly Network[],
): string {
  // Only the end was written by proxies of ours; a client can't make it too long to be read.
  const hops = (forwardedFor ?? '').slice(-MAX_LENGTH).split(',');
  let client = remote ?? '';
  while (hops.length > 0 && isAmong(client, proxies)) {
    const before = withoutPort(hops.pop()?.trim() ?? '');
    if (!ipaddr.isValid(before)) break;
    client = before;
  }
  return client;
}

/** One household or machine has a whole /64 of IPv6. */
export function clientGroup(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return parsed.toByteArray().slice(0, 8).join('.');
}

function isAmong(text: string, networks: readonly Network[]): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  return networks.some(
    ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
  );
}

function withoutPort(hop: string): string {
  return hop.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
}
