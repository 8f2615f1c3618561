/** Camera names in paths. */

export type NameOutcome = { ok: true; name: string } | { ok: false; name: string; fault: string };

const NAME = /^[\p{L}\p{M}\p{N}\-_. ,:+()'/&@]{1,100}$/u;

/** Returns the decoded name after `prefix` in a path, or `bare` for the prefix alone. */
export function cameraNameIn(pathname: string, prefix: string, bare?: string): NameOutcome {
  if (bare !== undefined && pathname === prefix) return { ok: true, name: bare };
  const name = decode(pathname.slice(prefix.length + 1));
  if (NAME.test(name)) return { ok: true, name };
  const fault = `The camera's name must be 1 to 100 letters, digits, spaces or any of - _ . , : + ( ) ' / & @`;
  return { ok: false, name, fault: `${fault}; it is "${name.slice(0, 120)}".` };
}

/** Returns the text unchanged if it cannot be decoded. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
