/**
 * Parameters that pages put on the URL of an image to get past a browser's cache. They never select
 * a picture, but each value would make another camera, called once or twice for one look.
 */

/** Whether URLs that differ only in a cache-buster are one camera. */
export type CacheBusterPolicy = 'strip' | 'keep';

/** No camera uses these for anything else. */
const UNMISTAKABLE = [
  ...['_', '__', '_t', '_ts', '_dc', '_r', '_rand', '_random', '_time', '_cache', '_nocache'],
  ...['ts', 'tstamp', 'timestamp', 'rand', 'random', 'rnd', 'nocache', 'no_cache', 'no-cache'],
  ...['cb', 'cachebuster', 'cache_buster', 'cache-buster', 'cachebust', 'bust', 'buster'],
  ...['dummy', 'uniq', 'unique'],
];

/**
 * How many digits make the value of a parameter a time or a random number. The more a camera could
 * mean by the name, the more it takes: `r=1080` may be a height, `date=20261129` a day, and
 * `cam.php?10023` one of many cameras.
 */
const LEAST_DIGITS: ReadonlyMap<string, number> = new Map([
  ...namesWith(1, [...UNMISTAKABLE, 't', 'time']),
  ...namesWith(5, ['r', 'now', 'cache', 'refresh', 'reload', 'stamp', 'tick', 'ticks']),
  ...namesWith(9, ['d', 'date', 'n', 'rs', 'v', 'x']),
  // A value alone, without a name.
  ['', 9],
]);

/** `1764413962123`, or `0.8437` from a random generator. */
const NUMBER = /^(?:\d+(?:\.\d+)?|\.\d+)$/;
const MAX_NUMBER_LENGTH = 32;

/** A file is always the same picture, whatever number is put behind it. */
const IMAGE_FILE = /\.(?:jpe?g|png|gif|webp|avif|bmp)$/i;

/** The parts of a `URL` that matter here. */
interface Parts {
  pathname: string;
  search: string;
}

/** @param pair `name=value`, or a value alone; not decoded, as an escape never belongs to one */
export function isCacheBuster(pair: string, pathname = '/'): boolean {
  const { name, value } = split(pair);
  const least = name === '' && IMAGE_FILE.test(pathname) ? 1 : LEAST_DIGITS.get(name);
  return least !== undefined && isNumber(value) && value.replace('.', '').length >= least;
}

/**
 * Returns whether a parameter beside the URL is a cache-buster. There it can't select a picture, so
 * the name of one is enough.
 */
export function isCacheBusterBesideUrl(pair: string): boolean {
  const { name, value } = split(pair);
  const isEmpty = LEAST_DIGITS.get(name) === 1 && value === '';
  return isCacheBuster(pair) || isEmpty || UNMISTAKABLE.includes(name);
}

/**
 * Returns the query of a URL without cache-busters. A `?` inside separates as well: pages append
 * `?t=…` to a URL whether it has a query or not.
 */
export function withoutCacheBusters({ pathname, search }: Parts): string {
  const pieces = piecesOf(search);
  const kept = pieces.filter((piece) => !isCacheBuster(pairOf(piece), pathname));
  if (kept.length === pieces.length) return search;
  const query = kept.join('').replace(/^[&?]/, '');
  return query && `?${query}`;
}

/** Returns the names of the cache-busters in a query; that of a number alone is empty. */
export function cacheBustersIn({ pathname, search }: Parts): string[] {
  const pairs = piecesOf(search)
    .map(pairOf)
    .filter((pair) => isCacheBuster(pair, pathname));
  return [...new Set(pairs.map((pair) => split(pair).name))];
}

function piecesOf(search: string): string[] {
  return search.slice(1).split(/(?=[&?])/);
}

function pairOf(piece: string): string {
  return piece.replace(/^[&?]/, '');
}

function isNumber(value: string): boolean {
  return value.length <= MAX_NUMBER_LENGTH && NUMBER.test(value);
}

function split(pair: string): { name: string; value: string } {
  const at = pair.indexOf('=');
  if (at > 0) return { name: pair.slice(0, at).toLowerCase(), value: pair.slice(at + 1) };
  // Neither a name alone nor a value behind a nameless `=` is a number alone.
  return at === 0 || !isNumber(pair)
    ? { name: pair.toLowerCase(), value: '' }
    : { name: '', value: pair };
}

function namesWith(leastDigits: number, names: readonly string[]): [string, number][] {
  return names.map((name) => [name, leastDigits]);
}
