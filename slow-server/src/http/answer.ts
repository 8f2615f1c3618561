/** A response to a call, before it is sent. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Body;
}

type Body =
  | { kind: 'whole'; bytes: Uint8Array | string | null }
  /** Sent at the client's pace; may never end. */
  | { kind: 'parts'; parts: Parts }
  /** Closes the connection after these bytes, whatever the headers say. */
  | { kind: 'cut'; bytes: Uint8Array };

/** Text is sent as UTF-8. */
export type Parts = Iterable<Uint8Array | string> | AsyncIterable<Uint8Array>;

const PLAIN_TEXT = { 'Content-Type': 'text/plain; charset=utf-8' };

/** Returns a sentence as plain text. */
export function textAnswer(
  status: number,
  text: string,
  headers: Record<string, string> = {},
): Answer {
  const hasBody = status !== 204 && status !== 205 && status !== 304;
  if (!hasBody) return { status, headers, body: { kind: 'whole', bytes: null } };
  return {
    status,
    headers: { ...PLAIN_TEXT, ...headers },
    body: { kind: 'whole', bytes: `${text}\n` },
  };
}
