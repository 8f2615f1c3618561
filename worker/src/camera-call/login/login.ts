import type { Fields } from '../header-fields.ts';
import { type LoginOffer, readLoginOffer } from './challenge.ts';
import { faultOf, type LoginSetting } from './login-faults.ts';

/** The login of one call. */
export interface Login {
  /** For the call's `Authorization`, one character per byte. */
  readonly authorization: string | undefined;
  /**
   * Reads what the head of the final response says about the login, once per call.
   * @param headers in lower case; several `www-authenticate` are joined by commas
   */
  onResponse(status: number, headers: Fields): LoginResult;
}

export type LoginResult =
  | { next: 'read' }
  /** The next call, with a permit of its own, may well succeed. Not the camera's fault. */
  | { next: 'retry' }
  /** For people; names no user, realm or secret. */
  | { next: 'fail'; fault: string };

export const READ: LoginResult = { next: 'read' };
export const RETRY: LoginResult = { next: 'retry' };
export const failLogin = (fault: string): LoginResult => ({ next: 'fail', fault });

/** The login of a source without `auth`. */
export function loginWithoutAuth(headers: Readonly<Record<string, string>>): Login {
  const hasHeader = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  const setting: LoginSetting = hasHeader ? 'header' : 'none';
  return {
    authorization: undefined,
    onResponse: (status, response) =>
      status === 401 ? failLogin(faultOf(setting, offerOf(response))) : READ,
  };
}

export function offerOf(headers: Fields): LoginOffer {
  return readLoginOffer(headers['www-authenticate']);
}
