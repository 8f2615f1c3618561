import type { IncomingMessage } from 'node:http';
import { isInNetworks, type Network } from '@lastframe/shared/cameras/source';
import { clientGroup } from '@lastframe/shared/http/client-group';
import type { Context } from 'hono';
import ipaddr from 'ipaddr.js';

/** Room for about thirty proxies in a row. */
const MAX_LENGTH = 1024;

/**
 * Returns the client's address: the other end of the connection, or what trusted proxies report.
 * Each proxy appends the address that its request came from, so the last one that is not a trusted
 * proxy counts. A client can forge everything before it.
 */
export function clientAddress(
  remote: string | undefined,
  forwardedFor: string | undefined,
  proxies: readonly Network[],
): string {
  // Only trusted proxies wrote the end, so a client cannot push it out of reach.
  const hops = (forwardedFor ?? '').slice(-MAX_LENGTH).split(',');
  let client = remote ?? '';
  while (hops.length > 0 && isAmong(client, proxies)) {
    const hop = withoutPort((hops.pop() ?? '').trim());
    if (!isAddress(hop)) break;
    client = hop;
  }
  return client;
}

/** Returns the client of a request; an IPv6 /64 counts as one client. */
export function clientOf(c: Context, proxies: readonly Network[]): string {
  const { remoteAddress } = (c.env?.incoming as IncomingMessage | undefined)?.socket ?? {};
  const forwardedFor = c.req.header('x-forwarded-for');
  return clientGroup(clientAddress(remoteAddress, forwardedFor, proxies));
}

function isAmong(text: string, networks: readonly Network[]): boolean {
  if (!ipaddr.isValid(text)) return false;
  return isInNetworks(ipaddr.process(text), networks);
}

/** Accepts what proxies write, not `0x7f.1` or `127`, which only old libraries understand. */
function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}

function withoutPort(hop: string): string {
  return hop.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
}
