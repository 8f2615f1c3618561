import { readItems, unlessTooLong } from '@lastframe/shared/http/http-fields';

/** The supported preferences of a client (RFC 7240). */
export interface Preferences {
  respondAsync: boolean;
  /** From `wait=N`, in whole seconds. */
  waitS: number | undefined;
}

const MAX_LENGTH = 1024;

/** Parses `Prefer`. The first preference of each name counts; what cannot be parsed is ignored. */
export function parsePrefer(value: string | undefined): Preferences {
  const found = new Map<string, string>();
  for (const { name, value: text = '', separator: after } of readItems(
    unlessTooLong(value, MAX_LENGTH) ?? '',
  )) {
    // After `;` come the parameters of a preference.
    const isPreference = after === 'start' || after === ',';
    if (isPreference && !found.has(name)) found.set(name, text);
  }
  const wait = found.get('wait') ?? '';
  return {
    respondAsync: found.get('respond-async') === '',
    waitS: /^\d{1,9}$/.test(wait) ? Number(wait) : undefined,
  };
}
