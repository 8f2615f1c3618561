/** Header fields by lower-case name. Repeated ones are joined with `, `, or the first one counts. */
export type Fields = Readonly<Record<string, string | undefined>>;

/** Of these, the first one counts: a list would not be a valid value. */
const SINGLE = new Set([
  'content-type',
  'date',
  'etag',
  'expires',
  'age',
  'last-modified',
  'location',
  'retry-after',
]);

/** Parses header lines, with or without a CR. Skips a line without a name, as browsers do. */
export function parseFields(lines: readonly string[]): Fields {
  const fields: Record<string, string> = Object.create(null);
  let last: string | undefined;
  for (const line of lines) {
    const colon = line.indexOf(':');
    const isContinued = /^[ \t]/.test(line);
    const name = isContinued ? last : nameOf(line.slice(0, Math.max(0, colon)));
    last = name;
    if (name === undefined) continue;
    const value = (isContinued ? line : line.slice(colon + 1)).trim();
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (isContinued) fields[name] = `${before} ${value}`;
    else if (!SINGLE.has(name)) fields[name] = `${before}, ${value}`;
  }
  return fields;
}

/** A name has no separators in it: `Tue, 12 Jun 2012 01` of a bare date is not one. */
function nameOf(text: string): string | undefined {
  const name = text.trim().toLowerCase();
  return /^[!#$%&'*+.^_`|~\w-]+$/.test(name) ? name : undefined;
}
