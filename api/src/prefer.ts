/** What a viewer prefers (RFC 7240), as far as it is known here. */
export interface Preferences {
  respondAsync: boolean;
  /** Of `wait=N`, in whole seconds. */
  waitS: number | undefined;
}

const ITEM = /^\s*([!#$%&'*+.^_`|~\w-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s;"]*)))?\s*(?:;.*)?$/;

/** The first of a name counts; what can't be read is ignored, as if it were not there. */
export function parsePrefer(value: string | undefined): Preferences {
  const found = new Map<string, string>();
  for (const item of value?.match(/(?:"[^"]*"|[^,"])+/g) ?? []) {
    const [, name, quoted, token] = ITEM.exec(item) ?? [];
    const key = name?.toLowerCase();
    if (key !== undefined && !found.has(key)) found.set(key, quoted ?? token ?? '');
  }
  const wait = found.get('wait') ?? '';
  return {
    respondAsync: found.get('respond-async') === '',
    waitS: /^\d{1,9}$/.test(wait) ? Number(wait) : undefined,
  };
}
