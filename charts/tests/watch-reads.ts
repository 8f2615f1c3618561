/** Returns a copy of an object, with the paths of the keys that were not read from it so far. */
export function watchReads(object: object): { watched: object; unread: ReadonlySet<string> } {
  const unread = new Set<string>();
  const watch = (value: unknown, path: string): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((child, index) => watch(child, `${path}.${index}`));
    const copy: Record<string, unknown> = {};
    for (const [key, child] of Object.entries(value)) {
      unread.add(`${path}.${key}`);
      copy[key] = watch(child, `${path}.${key}`);
    }
    return new Proxy(copy, {
      get: (target, key) => {
        unread.delete(`${path}.${String(key)}`);
        return Reflect.get(target, key);
      },
      // Listing the keys of a map counts as reading all.
      ownKeys: (target) => {
        for (const key of Object.keys(target)) unread.delete(`${path}.${key}`);
        return Reflect.ownKeys(target);
      },
    });
  };
  return { watched: watch(object, '') as object, unread };
}
