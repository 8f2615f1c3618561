import ipaddr from 'ipaddr.js';
import { UrlPattern } from './url-pattern.ts';

/** What of the query belongs to the camera: all, nothing, or the named parameters. */
export type QueryPolicy = 'keep' | 'strip' | readonly string[];

export type Network = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** An operator's rule for the cameras whose URL it matches. */
export interface Source {
  /** Unique; a label in metrics and a part of the budget's keys. */
  name: string;
  pattern: UrlPattern;
  intervalMs: number;
  /** Deadline of one call, from sending to the last byte. */
  timeoutMs: number;
  startAllowanceMs: number;
  headers: Readonly<Record<string, string>>;
  query: QueryPolicy;
  /** Private, loopback or link-local networks that may be called. */
  networks: readonly Network[];
  maxFrameBytes: number;
  /** Of the whole fleet against this source; 0 is no bound. */
  budget: { perSecond: number; concurrency: number };
  staleForMs: number;
  /** Least time to keep the last frame of a camera that has no name. */
  unnamedStaleForMs: number;
  /** Cameras without a name that the fleet keeps at a time; 0 is no bound. */
  maxCameras: number;
  /** The same bytes for so long: the camera is frozen. */
  frozenAfterMs?: number;
  /** Sent to the camera; in no log, key, value or error. */
  auth?: { scheme: 'basic' | 'digest'; username: string; password: string };
  tls?: { ca: string } | { insecure: true };
}

/** What sources have in common unless they say otherwise. */
export type SourceDefaults = Omit<Source, 'name' | 'pattern'>;

/** One source for each pattern of `ALLOWED_SOURCES`, named by its pattern. */
export function sourcesFromPatterns(
  patterns: readonly string[],
  defaults: SourceDefaults,
): Source[] {
  return patterns.map((text) => ({ ...defaults, name: text, pattern: new UrlPattern(text) }));
}

/** `10.20.0.0/16` or a single address. Undefined when the text is neither. */
export function parseNetwork(text: string): Network | undefined {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (!ipaddr.IPv4.isValidFourPartDecimal(text) && !ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.parse(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}
