/**
 * Returns a header unless it is longer than it should ever be. A longer one is ignored, so that no
 * parser sees it. For headers that must not be ignored, use a stricter check.
 */
export function unlessTooLong(value: string | undefined, maxLength: number): string | undefined {
  return value !== undefined && value.length <= maxLength ? value : undefined;
}

/** An HTTP date has at most 33 characters. */
export const MAX_DATE_LENGTH = 64;

/** A word, or `name=value`, of a header such as `wait=5; b, c` or `Digest realm="x", nonce=y`. */
export interface FieldItem {
  name: string;
  /** Undefined for a word alone. Without quotes and escapes. */
  value: string | undefined;
  /** The value, or the word alone, as received: in its case, with escapes but without quotes. */
  raw: string;
  /** The separator before it. */
  separator: 'start' | ',' | ';' | ' ';
}

/**
 * A word with its value, a quoted text without a name, or else any single character. One of them
 * always matches, and none rereads what another has consumed, so the time is linear.
 */
const ITEM =
  /([!#$%&'*+.^_`|~\w-]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?|"(?:[^"\\]|\\.)*"?|[\s\S]/g;

/** Yields the words and parameters of a header in order; skips what it cannot parse. */
export function* readItems(text: string): Generator<FieldItem> {
  let after: FieldItem['separator'] = 'start';
  for (const [all, name, quoted, plain] of text.matchAll(ITEM)) {
    if (name === undefined) {
      if (all === ',' || all === ';') after = all;
      continue;
    }
    yield {
      name: name.toLowerCase(),
      value: quoted?.replace(/\\(.)/g, '$1') ?? plain,
      raw: quoted ?? plain ?? name,
      separator: after,
    };
    after = ' ';
  }
}
