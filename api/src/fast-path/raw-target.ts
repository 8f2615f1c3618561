import { escapeByte } from '@lastframe/shared/cameras/percent-encoding';

/**
 * Escapes the bytes of a request line that are not ASCII, as other servers read them: `é` in UTF-8
 * is `%C3%A9`. Node's parser rejects them. Anything else stays as it is; whether it is a request at
 * all is for the parser to decide.
 * @param chunk what a connection received at the beginning of a request
 */
export function escapeRawTarget(chunk: Buffer): Buffer {
  const end = chunk.indexOf('\n', firstOtherThanLineEnd(chunk));
  const line = chunk.subarray(0, end === -1 ? chunk.length : end);
  if (line.every((byte) => byte < 0x80)) return chunk;
  const escaped = line.toString('latin1').replace(/[\x80-\xff]/g, escapeByte);
  return Buffer.concat([Buffer.from(escaped, 'latin1'), chunk.subarray(line.length)]);
}

/** Empty lines may precede a request (RFC 9112 2.2). */
function firstOtherThanLineEnd(chunk: Buffer): number {
  let at = 0;
  while (chunk[at] === 0x0d || chunk[at] === 0x0a) at += 1;
  return at;
}
