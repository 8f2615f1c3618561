import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { withoutTrailingDots } from '@lastframe/shared/cameras/host-name';

/** Settings from `/etc/hosts` and `/etc/resolv.conf`. */
export interface SystemDns {
  /** Addresses by lower-case host name. */
  hosts: ReadonlyMap<string, readonly string[]>;
  /** Domains to append to a name. */
  search: readonly string[];
  /** A name with fewer dots is tried with the search domains first. */
  ndots: number;
}

/** Treats missing files as empty. Parses the hosts file, which may be long, only if it changed. */
export function createSystemDnsReader(hostsFile: string, resolvConfFile: string): () => SystemDns {
  let hostsText = '';
  let hosts = parseHosts(hostsText);
  return () => {
    const text = readOrEmpty(hostsFile);
    if (text !== hostsText) hosts = parseHosts(text);
    hostsText = text;
    return { hosts, ...parseResolvConf(readOrEmpty(resolvConfFile)) };
  };
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Each line has one address and its names. */
export function parseHosts(text: string): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const [address = '', ...names] of wordsOf(text)) {
    if (!isIP(address)) continue;
    for (const name of names.map((written) => written.toLowerCase())) {
      hosts.set(name, [...(hosts.get(name) ?? []), address]);
    }
  }
  return hosts;
}

/** The last `search` or `domain` line counts (resolv.conf(5)). */
export function parseResolvConf(text: string): Pick<SystemDns, 'search' | 'ndots'> {
  let search: string[] = [];
  let ndots = 1;
  for (const [keyword, ...values] of wordsOf(text)) {
    if (keyword === 'search' || keyword === 'domain') search = values;
    if (keyword !== 'options') continue;
    const ndotsOption = values.findLast((value) => /^ndots:\d+$/.test(value));
    if (ndotsOption) ndots = Math.min(15, Number(ndotsOption.slice('ndots:'.length)));
  }
  // "." is the root, which leaves the name as it is; that is tried anyway.
  const domains = search.map(withoutTrailingDots).filter(Boolean);
  return { search: domains, ndots };
}

function wordsOf(text: string): string[][] {
  return text.split('\n').map((line) =>
    line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/),
  );
}

/** Returns the names to query, in the C library's order. */
export function namesToTry(host: string, { search, ndots }: Pick<SystemDns, 'search' | 'ndots'>) {
  const dots = host.split('.').length - 1;
  const withDomains = search.map((domain) => `${host}.${domain}`);
  return dots >= ndots ? [host, ...withDomains] : [...withDomains, host];
}
