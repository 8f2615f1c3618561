/**
 * A header that is not longer than it is ever meant to be. A longer one counts as not sent, so no
 * parser sees it; for headers that must not be ignored use something stricter.
 */
export function unlessTooLong(value: string | undefined, maxLength: number): string | undefined {
  return value !== undefined && value.length <= maxLength ? value : undefined;
}

/** An HTTP date has at most 33 characters. */
export const MAX_DATE_LENGTH = 64;

/** A word, or `name=value`, of a header such as `wait=5; b, c` or `Digest realm="x", nonce=y`. */
export interface FieldItem {
  name: string;
  /** Undefined for a word alone. Quotes and escapes are taken off. */
  value: string | undefined;
  /** The separator in front of it. */
  after: 'start' | ',' | ';' | ' ';
}

/**
 * A word with its value, a quoted text without a name, or else any one character. One of them is
 * everywhere, and none goes back over what another one has read: the time is linear.
 */
const ITEM =
  /([!#$%&'*+.^_`|~\w-]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?|"(?:[^"\\]|\\.)*"?|[\s\S]/g;

/** The words and parameters of a header, in order. What can't be read is left out. */
export function* readItems(text: string): Generator<FieldItem> {
  let after: FieldItem['after'] = 'start';
  for (const [all, name, quoted, plain] of text.matchAll(ITEM)) {
    if (name === undefined) {
      if (all === ',' || all === ';') after = all;
      continue;
    }
    yield { name: name.toLowerCase(), value: quoted?.replace(/\\(.)/g, '$1') ?? plain, after };
    after = ' ';
  }
}
