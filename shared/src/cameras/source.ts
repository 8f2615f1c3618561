import ipaddr from 'ipaddr.js';
import type { CacheBusterPolicy } from './cache-busters.ts';
import { UrlPattern } from './url-pattern.ts';

/** Which part of the query belongs to the camera: all, nothing, or the named parameters. */
export type QueryPolicy = 'keep' | 'strip' | readonly string[];

/** Where a camera may redirect to. The target must match a source, too. */
export type RedirectPolicy = 'none' | 'same-host' | readonly UrlPattern[];

export type Network = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** An operator's rule for the cameras whose URL it matches. */
export interface Source {
  /** Unique; a label in metrics and a part of the budget's keys. */
  name: string;
  pattern: UrlPattern;
  intervalMs: number;
  /** The longest time between two calls to a watched camera whose picture rarely changes. */
  maxIntervalMs: number;
  /** Deadline of one call, from sending to the last byte. */
  timeoutMs: number;
  startAllowanceMs: number;
  headers: Readonly<Record<string, string>>;
  query: QueryPolicy;
  redirects: RedirectPolicy;
  /** Only for `query: keep`; the other policies name the parameters themselves. */
  cacheBusters: CacheBusterPolicy;
  /** Private, loopback or link-local networks that may be called. */
  networks: readonly Network[];
  maxFrameBytes: number;
  /** Whether a JPEG may lack its end marker, which cannot be told from one that was cut. */
  acceptTruncated: boolean;
  /** Whether calls may ask for an image only if it has changed. */
  conditional: boolean;
  /** ETags, as `etagOf` writes them, of pictures that say "not available". */
  placeholders: readonly string[];
  /** Limits for the whole fleet on this source; 0 means no limit. */
  budget: { perSecond: number; concurrency: number };
  staleForMs: number;
  /** Minimum time to keep the last frame of an unnamed camera. */
  unnamedStaleForMs: number;
  /** Unnamed cameras that the fleet keeps at a time; 0 means no limit. */
  maxCameras: number;
  /** After the same bytes for this long, the camera is frozen. */
  frozenAfterMs?: number;
  /** Sent to the camera; never in a log, key, value or error. */
  auth?: SourceAuth;
  tls?: SourceTls;
  /** Through which the cameras are called. */
  proxy?: OutgoingProxy;
}

/** How to log in to a source's cameras. */
export interface SourceAuth {
  scheme: 'basic' | 'digest';
  username: string;
  password: string;
}

/** An outgoing HTTP proxy. */
export interface OutgoingProxy {
  /** Without credentials. */
  url: URL;
  /** Of its `Proxy-Authorization`. */
  authorization?: string;
}

export const TLS_VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

/** How TLS with a source's cameras differs from Node's defaults. */
export interface SourceTls {
  /** PEM certificates to trust instead of Node's certificate authorities. */
  ca?: string;
  /** Accepts every certificate; never together with `ca`. */
  insecure?: true;
  minVersion?: (typeof TLS_VERSIONS)[number];
  /** Accepts old ciphers, keys, signatures and handshakes. */
  legacy?: true;
  /** Sent and checked instead of the URL's host; if empty, no name is sent. */
  servername?: string;
}

/** Settings that sources share unless they override them. */
export type SourceDefaults = Omit<Source, 'name' | 'pattern'>;

/** Returns one source for each pattern of `ALLOWED_SOURCES`, named after its pattern. */
export function sourcesFromPatterns(
  patterns: readonly string[],
  defaults: SourceDefaults,
): Source[] {
  return patterns.map((text) => ({ ...defaults, name: text, pattern: new UrlPattern(text) }));
}

/** Parses `10.20.0.0/16` or a single address; returns `undefined` for other texts. */
export function parseNetwork(text: string): Network | undefined {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (!ipaddr.IPv4.isValidFourPartDecimal(text) && !ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.parse(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

/** Parses `http://user:password@proxy.example.com:3128`; returns `undefined` for other texts. */
export function parseProxy(text: string): OutgoingProxy | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isProxy =
    /^https?:$/.test(url.protocol) && url.pathname === '/' && !url.search && !url.hash;
  if (!isProxy) return undefined;
  const login = decodeURIComponent(`${url.username}:${url.password}`);
  url.username = '';
  url.password = '';
  if (login === ':') return { url };
  return { url, authorization: `Basic ${Buffer.from(login).toString('base64')}` };
}

export function isInNetworks(address: Network[0], networks: readonly Network[]): boolean {
  return networks.some(
    ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
  );
}
