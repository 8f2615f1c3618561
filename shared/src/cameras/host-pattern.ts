import { Glob } from './glob.ts';
import { withoutTrailingDots } from './host-name.ts';

export const BAD_HOST = 'its host is not a valid host name or address';
/** Placeholder for `*` while a host is parsed; no host has this name. */
const STAR = 'zzstarzz';

/** No name under these can be registered: RFC 6761, RFC 6762, ICANN; `lan` and `home` likewise. */
const OWN_NETWORKS = new Set(['local', 'internal', 'lan', 'home', 'test', 'localhost']);

/**
 * A host in which a leading `*.` stands for one or more labels, and any other `*` for text within
 * its label. `*` alone matches every host.
 */
export class HostPattern {
  /** Undefined: matches every host. */
  readonly #labels: readonly Glob[] | undefined;
  readonly #hasSubdomains: boolean;
  /** The host itself if it has no `*`. */
  readonly #exact: string | undefined;

  /** @throws TypeError that says what to write instead */
  constructor(text: string) {
    checkStars(withoutTrailingDots(text));
    const host = canonicalHost(text);
    const labels = host.split('.');
    this.#exact = host.includes('*') ? undefined : host;
    this.#hasSubdomains = labels[0] === '*';
    const fixed = this.#hasSubdomains ? labels.slice(1) : labels;
    this.#labels = host === '*' ? undefined : fixed.map((label) => new Glob(label));
  }

  /** @param host as `URL.hostname` writes it */
  matches(host: string): boolean {
    if (this.#exact !== undefined) return host === this.#exact;
    if (!this.#labels) return true;
    const labels = host.split('.');
    const more = labels.length - this.#labels.length;
    if (this.#hasSubdomains ? more < 1 : more !== 0) return false;
    return this.#labels.every((label, n) => label.matches(labels[more + n] ?? ''));
  }
}

/** A `*` must not match hosts that anybody could register, such as `cams.example.com.evil.org`. */
function checkStars(host: string): void {
  if (!host.includes('*') || host === '*') return;
  if (host.startsWith('[')) throw new TypeError(BAD_HOST);
  if (/^[\d.*]+$/.test(host) && /\d/.test(host)) {
    throw new TypeError('* cannot be used in a numeric host; list the hosts, or use their names');
  }
  const labels = host.split('.');
  const [first = '', ...others] = labels;
  if (first.startsWith('*') && first !== '*') {
    const rest = host.replaceAll('*', '').replace(/^[.-]+/, '');
    throw new TypeError(
      `a * in front of a name would match names that others own; write *.${rest} for the hosts below it`,
    );
  }
  // `*.local` is as wide as it looks; `*.example.*` is much wider.
  const isOwnNetwork = OWN_NETWORKS.has(labels.at(-1) ?? '');
  const mustBeFixed = isOwnNetwork || (first === '*' && !others.join('').includes('*')) ? 1 : 2;
  if (labels.slice(-mustBeFixed).join('').includes('*')) {
    throw new TypeError(
      'a * at the end of the host would match hosts that others own; end the host with a /, as in https://cams.example.com/*, or list the hosts',
    );
  }
}

/** Returns the host as `URL` writes it, with its stars. */
function canonicalHost(text: string): string {
  const url = `http://${text.replaceAll('*', STAR)}/`;
  const host = URL.canParse(url) ? withoutTrailingDots(new URL(url).hostname) : '';
  const canonical = host.replaceAll(STAR, '*');
  // Punycode would move a * from where it was written.
  const isMoved = canonical.split('.').some((l) => l.startsWith('xn--') && l.includes('*'));
  const hasAll = canonical.split('*').length === text.split('*').length;
  if (host === '' || text.includes('\\') || isMoved || !hasAll) {
    throw new TypeError(BAD_HOST);
  }
  return canonical;
}
