import { readItems, unlessTooLong } from '@lastframe/shared/http/http-fields';

/** What a viewer prefers (RFC 7240), as far as it is known here. */
export interface Preferences {
  respondAsync: boolean;
  /** Of `wait=N`, in whole seconds. */
  waitS: number | undefined;
}

const MAX_LENGTH = 1024;

/** The first of a name counts; what can't be read is ignored, as if it were not there. */
export function parsePrefer(value: string | undefined): Preferences {
  const found = new Map<string, string>();
  for (const { name, value: given = '', after } of readItems(
    unlessTooLong(value, MAX_LENGTH) ?? '',
  )) {
    // Behind `;` stand the parameters of a preference.
    const isPreference = after === 'start' || after === ',';
    if (isPreference && !found.has(name)) found.set(name, given);
  }
  const wait = found.get('wait') ?? '';
  return {
    respondAsync: found.get('respond-async') === '',
    waitS: /^\d{1,9}$/.test(wait) ? Number(wait) : undefined,
  };
}
