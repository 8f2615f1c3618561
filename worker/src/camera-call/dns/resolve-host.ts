import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { createMulticastLookup, isMulticastName } from './multicast-names.ts';
import { createSystemDnsReader, namesToTry, type SystemDns } from './system-dns.ts';

/**
 * Returns all addresses of a host.
 * @throws an Error with the code ENOTFOUND, ESERVFAIL (a name server failed), ETIMEOUT (none
 * answered) or, for a multicast name, one of getaddrinfo
 */
export type ResolveHost = (host: string) => Promise<LookupAddress[]>;

const DEFAULTS = {
  hostsFile: '/etc/hosts',
  resolvConfFile: '/etc/resolv.conf',
  /** Name servers instead of those in resolv.conf, as `address:port`. */
  servers: undefined as readonly string[] | undefined,
  /** Upper bounds: c-ares waits less for a fast server, and twice as long on each retry. */
  query: { timeout: 1000, tries: 4 },
  monoMs: () => performance.now(),
};
export type HostResolverOptions = typeof DEFAULTS;

/** No further search domain is tried after this time. */
const SEARCH_MS = 10_000;
/** How long a change of hosts, search domains or name servers may go unnoticed. */
const MAX_SETTINGS_AGE_MS = 10_000;

/** The name does not exist, has no address, or is invalid. */
const UNKNOWN_NAME = ['ENOTFOUND', 'ENODATA', 'EBADNAME'];
/** A server that responds like this for one name may well know the next one. */
const REFUSED_NAME = ['ESERVFAIL', 'EREFUSED', 'EFORMERR', 'EBADRESP'];

/**
 * Resolves like the C library (hosts file, search domains, name servers), but without its threads.
 * Node runs two getaddrinfo calls at a time, and each takes 10 s or more if no server responds: a
 * few such names would block the lookups of all other cameras, and of Redis.
 */
export function createHostResolver(given: Partial<HostResolverOptions> = {}): ResolveHost {
  const options = { ...DEFAULTS, ...given };
  const { monoMs } = options;
  const currentSettings = createSettingsCache(options);
  const multicastLookup = createMulticastLookup();
  return async (host) => {
    const { system, resolver } = currentSettings();
    const local = system.hosts.get(host) ?? loopbackOf(host);
    if (local) return local.map((address) => ({ address, family: isIP(address) }));
    if (isMulticastName(host)) return await multicastLookup(host);
    const startedMs = monoMs();
    let code: LookupCode = 'ENOTFOUND';
    for (const name of namesToTry(host, system)) {
      const answer = await queryBothFamilies(resolver, name);
      if (Array.isArray(answer)) return answer;
      if (answer !== 'ENOTFOUND') code = answer;
      if (answer === 'ETIMEOUT' || monoMs() - startedMs > SEARCH_MS) break;
    }
    throw Object.assign(new Error(`${code} ${host}`), { code });
  };
}

type LookupCode = 'ENOTFOUND' | 'ESERVFAIL' | 'ETIMEOUT';

interface Settings {
  system: SystemDns;
  resolver: Resolver;
}

/** Caches the settings. A new resolver also uses a new port, so its answers are harder to forge. */
function createSettingsCache(options: HostResolverOptions): () => Settings {
  const { hostsFile, resolvConfFile, servers, query, monoMs } = options;
  const readSystemDns = createSystemDnsReader(hostsFile, resolvConfFile);
  let settings: Settings | undefined;
  let readMs = 0;
  return () => {
    if (settings && monoMs() - readMs < MAX_SETTINGS_AGE_MS) return settings;
    const resolver = new Resolver(query);
    if (servers) resolver.setServers(servers);
    settings = { system: readSystemDns(), resolver };
    readMs = monoMs();
    return settings;
  };
}

/** RFC 6761: name servers are never queried for these names. */
function loopbackOf(host: string): string[] | undefined {
  return /(^|\.)localhost$/.test(host) ? ['127.0.0.1', '::1'] : undefined;
}

async function queryBothFamilies(
  resolver: Resolver,
  name: string,
): Promise<LookupAddress[] | LookupCode> {
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (found.length > 0) return found.map((address) => ({ address, family: isIP(address) }));
  const codes = answers.map((answer) =>
    answer.status === 'rejected' ? answer.reason.code : 'ENODATA',
  );
  if (codes.every((code) => UNKNOWN_NAME.includes(code))) return 'ENOTFOUND';
  return codes.every((code) => [...UNKNOWN_NAME, ...REFUSED_NAME].includes(code))
    ? 'ESERVFAIL'
    : 'ETIMEOUT';
}
