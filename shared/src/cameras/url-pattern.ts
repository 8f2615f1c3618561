import { findPathTrick } from './dot-segments.ts';
import { Glob } from './glob.ts';
import { BAD_HOST, HostPattern } from './host-pattern.ts';
import { normaliseEscapes } from './percent-encoding.ts';

/**
 * A URL in which `*` stands for any text within its part of the URL: the host, the port, the path
 * or the query. A pattern without a path, or without a query, matches every path or query.
 *
 * The platform's `URLPattern` uses regular expressions, which a viewer's URL can make run for
 * seconds, and it reads `localhost:8888/*` and `cams.example.com*` differently than they look.
 */
export class UrlPattern {
  readonly text: string;
  readonly #scheme: string;
  readonly #host: HostPattern;
  /** As in the authority: empty, `:8080`, or `*` for every port. */
  readonly #port: string;
  readonly #path: Glob | undefined;
  readonly #query: Glob | undefined;

  /** @throws TypeError that says what is wrong with the text */
  constructor(text: string) {
    const [scheme, authority, rest] = split(text);
    const [host, port] = splitPort(authority);
    const target = unescapeTarget(rest);
    const url = parse(`${scheme}x${port === '*' ? '' : `:${port}`}${target}`);
    this.text = text;
    this.#scheme = scheme;
    this.#host = new HostPattern(host);
    this.#port = port === '*' ? '*' : url.port && `:${url.port}`;
    this.#path = target === '' ? undefined : new Glob(normaliseEscapes(url.pathname));
    this.#query = target.includes('?')
      ? new Glob(normaliseEscapes(url.search.slice(1)))
      : undefined;
  }

  /** @param href a URL as `parseCameraUrl` writes it */
  test(href: string): boolean {
    if (!href.startsWith(this.#scheme)) return false;
    const pathAt = href.indexOf('/', this.#scheme.length);
    if (!this.#testAuthority(href.slice(this.#scheme.length, pathAt))) return false;
    if (!this.#path) return true;
    const queryAt = href.indexOf('?', pathAt);
    const path = queryAt === -1 ? href.slice(pathAt) : href.slice(pathAt, queryAt);
    if (!this.#path.matches(path)) return false;
    return !this.#query || this.#query.matches(queryAt === -1 ? '' : href.slice(queryAt + 1));
  }

  #testAuthority(authority: string): boolean {
    const portAt = startOfPort(authority);
    if (this.#port !== '*' && authority.slice(portAt) !== this.#port) return false;
    return this.#host.matches(authority.slice(0, portAt));
  }
}

function split(text: string): [scheme: string, authority: string, rest: string] {
  const [origin = '', scheme, authority] = /^(https?:\/\/)([^/?#]+)/.exec(text) ?? [];
  if (scheme === undefined || authority === undefined) {
    throw new TypeError('it must begin with http:// or https:// and a host');
  }
  if (authority.includes('@')) throw new TypeError('it contains credentials; remove them');
  if (/[\u0000-\u0020\u007f]/.test(text)) {
    throw new TypeError('it has a space or a control character in it; percent-encode it');
  }
  return [scheme, authority, text.slice(origin.length)];
}

/** A colon within brackets belongs to an IPv6 address. */
function startOfPort(authority: string): number {
  const colon = authority.indexOf(':', authority.lastIndexOf(']') + 1);
  return colon === -1 ? authority.length : colon;
}

function splitPort(authority: string): [host: string, port: string] {
  const at = startOfPort(authority);
  const [host, port] = [authority.slice(0, at), authority.slice(at + 1)];
  if (host.startsWith('[') !== host.endsWith(']')) throw new TypeError(BAD_HOST);
  if (at < authority.length && port !== '*' && !/^0*[1-9]\d{0,4}$/.test(port)) {
    throw new TypeError('its port must be a number, or * for every port');
  }
  return [host, port];
}

/**
 * Returns path and query without the backslashes that `URLPattern` needs before some characters.
 * @throws TypeError for syntax that only `URLPattern` supports: it would never match literally
 */
function unescapeTarget(text: string): string {
  const unescaped = text.replace(/\\./gs, '');
  if (text.includes('\\*')) throw new TypeError('a * cannot be escaped; it matches itself too');
  if (/[(){}]/.test(unescaped)) {
    throw new TypeError(
      '( ) { } are not supported; write * for any text, or \\( for a parenthesis',
    );
  }
  if (/:[a-z_$]/i.test(unescaped)) {
    throw new TypeError('names like :id are not supported; write *, or \\: for a colon');
  }
  if (/\*[*+]/.test(unescaped)) throw new TypeError('write one * in place of ** or *+');
  const target = text.replace(/\\(.)/gs, '$1');
  if (target.includes('#')) throw new TypeError('it has a # in it; remove it and what follows');
  if (target.includes('\\')) throw new TypeError('it has a backslash in it; write %5C');
  const [path = ''] = target.split('?', 1);
  if (findPathTrick(path) || /\/\.{1,2}(\/|$)/.test(path)) {
    throw new TypeError('its path has a . or .. segment or a control character; leave it out');
  }
  return target;
}

function parse(text: string): URL {
  if (!URL.canParse(text)) throw new TypeError('it is not a valid URL');
  return new URL(text);
}
