import type { IncomingMessage } from 'node:http';
import type { Network } from '@lastframe/shared/cameras/source';
import { clientGroup } from '@lastframe/shared/http/client-group';
import type { Context } from 'hono';
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
    const before = withoutPort((hops.pop() ?? '').trim());
    if (!isAddress(before)) break;
    client = before;
  }
  return client;
}

/** The client of a request, an IPv6 network of 64 bits being one. */
export function clientOf(c: Context, proxies: readonly Network[] = []): string {
  const { remoteAddress } = (c.env?.incoming as IncomingMessage | undefined)?.socket ?? {};
  const forwardedFor = c.req.header('x-forwarded-for');
  return clientGroup(clientAddress(remoteAddress, forwardedFor, proxies));
}

function isAmong(text: string, networks: readonly Network[]): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  return networks.some(
    ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
  );
}

/** As proxies write them: `0x7f.1` and `127` are addresses to old libraries only. */
function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}

function withoutPort(hop: string): string {
  return hop.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
}
