import type { Camera } from '@lastframe/shared/cameras/camera';
import type { SourceAuth } from '@lastframe/shared/cameras/source';
import { failLogin, type Login, offerOf, READ } from './login.ts';
import type { LoginAttempts } from './login-attempts.ts';
import { FORBIDDEN, faultOf, pausedFault } from './login-faults.ts';

/** Sends the password with every call, in UTF-8 (RFC 7617), as browsers and curl do. */
export function basicLogin(
  { cameraId }: Camera,
  { username, password }: SourceAuth,
  attempts: LoginAttempts,
): Login {
  // Other cameras of the origin need not wait: that would cost each of them a call.
  if (!attempts.begin(cameraId, 0)) return pausedLogin(attempts.whyPaused(cameraId));
  return {
    authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
    onResponse: (status, headers) => {
      if (status === 401) {
        const fault = faultOf('basic', offerOf(headers));
        attempts.onRejected(cameraId, fault);
        return failLogin(fault);
      }
      if (status < 400) attempts.onAccepted(cameraId);
      return status === 403 ? failLogin(FORBIDDEN) : READ;
    },
  };
}

function pausedLogin(fault: string | undefined): Login {
  return {
    authorization: undefined,
    onResponse: (status, headers) =>
      status === 401 ? failLogin(pausedFault(fault ?? faultOf('basic', offerOf(headers)))) : READ,
  };
}
