import ipaddr from 'ipaddr.js';

/** Groups IPv6 addresses by /64, because one household or machine has a whole /64. */
export function clientGroup(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return parsed.toByteArray().slice(0, 8).join('.');
}
