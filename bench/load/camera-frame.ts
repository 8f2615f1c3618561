/** A grey JPEG of one pixel. */
const PIXEL = Buffer.from(
  '/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AKp//2Q==',
  'base64',
);
/** Right after the marker that begins a JPEG. */
const COMMENT_AT = 2;
/** Marker and length; the call's start and number follow as text. */
const COMMENT_HEAD_BYTES = 4;
const TIME_DIGITS = 20;

/**
 * Builds images of one size, each with different bytes. A JPEG comment holds the start of the call
 * on the machine's monotonic clock, so that any process can compute the frame's age.
 */
export function cameraFrame(sizeBytes: number): {
  length: number;
  at: (startMs: number, number: number) => Buffer;
} {
  const commentBytes = Math.max(2 * TIME_DIGITS, sizeBytes - PIXEL.length - COMMENT_HEAD_BYTES);
  const comment = Buffer.alloc(COMMENT_HEAD_BYTES + commentBytes, 'lastframe ');
  comment.writeUInt16BE(0xfffe, 0);
  comment.writeUInt16BE(2 + commentBytes, 2);
  const template = Buffer.concat([
    PIXEL.subarray(0, COMMENT_AT),
    comment,
    PIXEL.subarray(COMMENT_AT),
  ]);
  return {
    length: template.length,
    at: (startMs, number) => {
      const bytes = Buffer.from(template);
      const text = startMs.toFixed(3).padStart(TIME_DIGITS) + String(number).padStart(TIME_DIGITS);
      bytes.write(text, COMMENT_AT + COMMENT_HEAD_BYTES, 'latin1');
      return bytes;
    },
  };
}

/** Reads the start of a frame's call, in milliseconds on the machine's monotonic clock. */
export function startMsOf(frame: Buffer): number {
  const at = COMMENT_AT + COMMENT_HEAD_BYTES;
  return Number(frame.toString('latin1', at, at + TIME_DIGITS));
}
