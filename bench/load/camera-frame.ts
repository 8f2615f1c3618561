import { padJpeg } from '../../slow-server/src/picture/jpeg.ts';

/** A grey JPEG of one pixel. */
const PIXEL = Buffer.from(
  '/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AKp//2Q==',
  'base64',
);
const SIZE_BYTES = 20_000;
const TEMPLATE = Buffer.concat(padJpeg(PIXEL, SIZE_BYTES).parts);
/** The text of the padding, which is a comment. */
const TEXT_AT = TEMPLATE.indexOf('....');
const TIME_DIGITS = 20;

/**
 * Builds an image of 20 KB with the start of its call on the machine's monotonic clock, so that any
 * process can compute the frame's age. The number makes its bytes unique.
 */
export function cameraFrame(startMs: number, number: number): Buffer {
  const frame = Buffer.from(TEMPLATE);
  const text = startMs.toFixed(3).padStart(TIME_DIGITS) + String(number).padStart(TIME_DIGITS);
  frame.write(text, TEXT_AT, 'latin1');
  return frame;
}

/** Reads the start of a frame's call, in milliseconds on the machine's monotonic clock. */
export function startMsOf(frame: Buffer): number {
  return Number(frame.toString('latin1', TEXT_AT, TEXT_AT + TIME_DIGITS));
}
