/** The object with notes of what is read of it. A map whose keys are listed counts as read. */
export function watchReads<T extends object>(value: T): { watched: T; unread: () => string[] } {
  const notes: (() => string[])[] = [];
  const watched = watch(value, '', notes) as T;
  return { watched, unread: () => notes.flatMap((note) => note()) };
}

function watch(value: unknown, path: string, notes: (() => string[])[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const below = (key: string, child: unknown) => watch(child, `${path}.${key}`, notes);
  if (Array.isArray(value)) return value.map((child, index) => below(String(index), child));
  const children = Object.entries(value).map(([key, child]) => [key, below(key, child)]);
  const read = new Set<string | symbol>();
  let listed = false;
  notes.push(() =>
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
