import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

export interface ValueRow {
  key: string;
  fallback: string;
  meaning: string;
}

/** Returns a row for each commented key of values.yaml; its row covers the keys below it. */
export function valueRows(text: string): ValueRow[] {
  const { contents } = parseDocument<YAMLMap, true>(text);
  return contents ? rowsOf(contents, []) : [];
}

/** @throws Error when a value has no row */
function rowsOf(map: YAMLMap, parents: readonly string[]): ValueRow[] {
  return map.items.flatMap((pair, index) => {
    const path = [...parents, String(pair.key)];
    const meaning = commentOf(pair, index === 0 ? map : undefined);
    if (meaning) return [{ key: path.join('.'), fallback: inline(pair.value), meaning }];
    if (isMap(pair.value)) return rowsOf(pair.value, path);
    throw new Error(`${path.join('.')} in values.yaml has no comment`);
  });
}

/** Returns a key's comment. The parser attributes that of the first key to the whole map. */
function commentOf({ key }: Pair, firstOf: YAMLMap | undefined): string | undefined {
  const comment = (isScalar(key) && key.commentBefore) || firstOf?.commentBefore;
  return comment?.split('\n').at(-1)?.trim();
}

function inline(value: unknown): string {
  return JSON.stringify(isScalar(value) ? value.value : ((value as YAMLMap).toJSON() as unknown));
}
