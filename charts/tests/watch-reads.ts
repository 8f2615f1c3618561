/** Records which keys of an object are read. Listing the keys of a map counts as reading all. */
export function watchReads<T extends object>(value: T): { watched: T; unread: () => string[] } {
  const reports: (() => string[])[] = [];
  const watched = watch(value, '', reports) as T;
  return { watched, unread: () => reports.flatMap((report) => report()) };
}

function watch(value: unknown, path: string, reports: (() => string[])[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const watchChild = (key: string, child: unknown) => watch(child, `${path}.${key}`, reports);
  if (Array.isArray(value)) return value.map((child, index) => watchChild(String(index), child));
  const children = Object.entries(value).map(([key, child]) => [key, watchChild(key, child)]);
  const read = new Set<string | symbol>();
  let listed = false;
  reports.push(() =>
    Object.keys(value)
      .filter((key) => !listed && !read.has(key))
      .map((key) => `${path}.${key}`),
  );
  return new Proxy(Object.fromEntries(children), {
    get: (target, key) => {
      read.add(key);
      return Reflect.get(target, key);
    },
    ownKeys: (target) => {
      listed = true;
      return Reflect.ownKeys(target);
    },
  });
}
