/** Why a camera was cut off before its response was complete. */
export type CutOffCode =
  | 'EARLY_DATA'
  | 'WASTEFUL_RESPONSE'
  | 'WASTEFUL_TLS'
  | 'RESPONSE_TIMEOUT'
  | 'TOO_LATE';

/** The error with which the call's socket is destroyed; `explainCallError` has its message. */
export class CutOffError extends Error {
  readonly code: CutOffCode;

  constructor(code: CutOffCode) {
    super(code);
    this.name = 'CutOffError';
    this.code = code;
  }
}
