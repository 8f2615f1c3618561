/** What a failed call is reported with. */
export interface Explanation {
  /** For viewers and operators; contains no address, host name or secret. */
  reason: string;
  /** An error type of RFC 9209. */
  error: string;
}
