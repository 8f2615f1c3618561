import { isCacheBusterBesideUrl } from '@lastframe/shared/cameras/cache-busters';
import { invalidUrl } from '@lastframe/shared/process/errors';
import { blankSecrets } from '../answer/blank-secrets.ts';
import type { Pair } from './query-pairs.ts';

/** The parameters of a route. */
export interface RouteParameters {
  names: readonly string[];
  /** Each may be given several times. */
  areLists: boolean;
  isCamera: (name: string) => boolean;
}

const MAX_SUGGESTION_LENGTH = 1500;
const MAX_NAMES = 3;

/**
 * Rejects parameters that were meant for a camera: `?url=http://cam/x?user=a&pwd=b` would call
 * `http://cam/x?user=a`, and another picture, or the camera's error, would mislead the viewer. A
 * `url` without a query has none to lose, so unknown parameters beside it are ignored.
 * @throws ProblemError 400 that says how to write it
 */
export function rejectStrayParameters(
  pairs: readonly Pair[],
  path: string,
  route: RouteParameters,
): void {
  const escaped = pairs.find(({ name }) => isAmp(name) && route.names.includes(withoutAmp(name)));
  if (escaped) throw invalidUrl(`${AMP}; write & before ${withoutAmp(escaped.name)}`);
  const isStray = strayCheck(pairs, route);
  for (const { url, before, behind } of groupsOf(pairs, route)) {
    if (!url.value.includes('?')) continue;
    const [unknown, lost] = [before, behind].map((some) => some.filter((p) => isStray(p, url)));
    if (lost?.length) throw invalidUrl(adviceOn(url, lost, path));
    if (unknown?.length)
      throw invalidUrl(`leave out ${namesOf(unknown)}: ${path} has no such parameter`);
  }
}

interface Group {
  url: Pair;
  before: Pair[];
  behind: Pair[];
}

/** Returns each URL with the parameters behind it, up to the next one; the first has some before. */
function groupsOf(pairs: readonly Pair[], { areLists }: RouteParameters): Group[] {
  const groups: Group[] = [];
  const before: Pair[] = [];
  for (const pair of pairs) {
    const group = groups.at(-1);
    if (pair.name !== 'url' || (group && !areLists)) (group?.behind ?? before).push(pair);
    else groups.push({ url: pair, before: group ? [] : before, behind: [] });
  }
  return groups;
}

function strayCheck(pairs: readonly Pair[], { names, areLists, isCamera }: RouteParameters) {
  const hasSignature = pairs.some(isSignature);
  const firsts = new Map(pairs.toReversed().map((pair) => [pair.name, pair]));
  return (pair: Pair, url: Pair): boolean => {
    const { name, value, raw } = pair;
    if (!names.includes(name)) return !isCacheBusterBesideUrl(raw);
    if (!areLists && firsts.get(name) !== pair) return true;
    // A camera may have parameters of the same names: `exp` for its exposure, `camera=2` on Axis.
    if (name === 'sig') return !isSignature(pair);
    if (name === 'exp') return !hasSignature;
    return name === 'camera' && url.raw.includes('?') && !isCamera(value);
  };
}

/** A SHA-256 in base64url. */
function isSignature({ name, value }: Pair): boolean {
  return name === 'sig' && /^[\w-]{43}$/.test(value);
}

const AMP = 'the query has &amp; in it, which stands for & in HTML';

function adviceOn(url: Pair, lost: readonly Pair[], path: string): string {
  const suggestion = suggestionFor(url, lost, path);
  const sentences = [
    lost.some(({ name }) => isAmp(name)) ? `${AMP}; ` : '',
    `an & that is not percent-encoded ends the url, so ${namesOf(lost)} would be lost; `,
    'percent-encode the whole URL of the image, & as %26',
    suggestion && `, as in ${suggestion}`,
    suggestion.includes('…') ? ' with your own values for …' : '',
  ];
  return sentences.join('');
}

/** Returns the target as it should have been written, without secrets. */
function suggestionFor(url: Pair, lost: readonly Pair[], path: string): string {
  const given = url.raw.slice(url.raw.indexOf('=') + 1);
  // Pasted as it was, or encoded up to its first &.
  const isPasted = /^[a-z][\w+.-]*:\/\//i.test(given) && given.includes('?');
  const beginning = isPasted ? given : url.value;
  const whole = [beginning, ...lost.map(({ raw }) => withoutAmp(raw))].join('&');
  const text = encodeURIComponent(blankSecrets(whole).toWellFormed()).replaceAll('%E2%80%A6', '…');
  const suggestion = `${path}?url=${text}`;
  return suggestion.length <= MAX_SUGGESTION_LENGTH ? suggestion : '';
}

function namesOf(strays: readonly Pair[]): string {
  // Text without a name may be the end of a password.
  const plain = strays.filter(({ raw }) => raw.includes('=')).map(({ name }) => withoutAmp(name));
  const shown = [...new Set(plain)].filter((name) => /^[\w.-]{1,30}$/.test(name));
  const some = shown.slice(0, MAX_NAMES);
  if (some.length === 0) return 'what follows it';
  return some.length < strays.length ? `${some.join(', ')} and more` : some.join(' and ');
}

function isAmp(name: string): boolean {
  return name.startsWith('amp;');
}

function withoutAmp(text: string): string {
  return isAmp(text) ? text.slice(4) : text;
}
