import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

export interface ValueRow {
  key: string;
  fallback: string;
  meaning: string;
}

/** One row for each key of values.yaml that has a comment above it; what is below such a key belongs to it. */
export function valueRows(text: string): ValueRow[] {
  const { contents } = parseDocument<YAMLMap, true>(text);
  return contents ? rowsOf(contents, []) : [];
}

/** @throws Error when a value would be in no row */
function rowsOf(map: YAMLMap, above: readonly string[]): ValueRow[] {
  return map.items.flatMap((pair, index) => {
    const path = [...above, String(pair.key)];
    const meaning = commentOf(pair, index === 0 ? map : undefined);
    if (meaning) return [{ key: path.join('.'), fallback: inline(pair.value), meaning }];
    if (isMap(pair.value)) return rowsOf(pair.value, path);
    throw new Error(`${path.join('.')} in values.yaml has no comment`);
  });
}

/** The parser takes the comment above the first key for one of the whole map. */
function commentOf({ key }: Pair, firstOf: YAMLMap | undefined): string | undefined {
  const comment = (isScalar(key) && key.commentBefore) || firstOf?.commentBefore;
  return comment?.split('\n').at(-1)?.trim();
}

function inline(value: unknown): string {
  return JSON.stringify(isScalar(value) ? value.value : ((value as YAMLMap).toJSON() as unknown));
}
