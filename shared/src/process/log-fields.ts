import { stdSerializers } from 'pino';

const MAX_CHARS = 1000;
/** For the texts of an error: its stack is worth more room. */
const MAX_ERROR_CHARS = 4000;
/** DEL, C1 controls, line separators and direction marks, which JSON does not escape. */
const UNSAFE = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** Makes untrusted texts safe to log: bounded, and harmless to the terminal they are read on. */
export function cleanFields(
  fields: Record<string, unknown>,
  maxChars = MAX_CHARS,
): Record<string, unknown> {
  const cleaned = Object.entries(fields).map(([name, value]) => [name, clean(value, maxChars)]);
  return Object.fromEntries(cleaned);
}

/** Returns an error as pino writes it, with its stack, cleaned. */
export function cleanError(error: Error): Record<string, unknown> {
  return cleanFields({ ...stdSerializers.err(error) }, MAX_ERROR_CHARS);
}

function clean(value: unknown, maxChars: number): unknown {
  if (typeof value !== 'string') return value;
  const short = value.length > maxChars ? `${value.slice(0, maxChars)}…` : value;
  return short.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
