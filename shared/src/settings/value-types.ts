import { z } from 'zod';
import { messageOf } from '../process/errors.ts';
import { DURATION_FORM, parseDurationMs, parseSizeBytes, SIZE_FORM } from './units.ts';

/**
 * Schemas of single settings, shared by environment variables, `SOURCES_FILE` and the chart's
 * values. The message of an issue says what is expected.
 */

/** Accepts texts that `parse` accepts; for others it throws or returns `undefined`. */
export function textOf<T>(expected: string, parse: (text: string) => T | undefined) {
  return z.string(expected).transform(parsing(expected, parse));
}

/** Accepts a list, or a text of comma-separated items. */
export function listOf<T>(expected: string, parseItem: (item: string) => T | undefined) {
  const parse = (given: string | string[]) => {
    const items = typeof given === 'string' ? given.split(',') : given;
    return items
      .map((item) => item.trim())
      .filter(Boolean)
      .map((item) => {
        const value = parseItem(item);
        if (value === undefined) throw new TypeError(`"${item}" is not valid`);
        return value;
      });
  };
  return z.union([z.string(), z.array(z.string())], expected).transform(parsing(expected, parse));
}

export const durationMs = z
  .string(DURATION_FORM)
  .regex(/^[0-9]+([.][0-9]+)?(ms|s|m|h|d)$/, DURATION_FORM)
  .transform(parsing(DURATION_FORM, parseDurationMs));

export const sizeBytes = z
  .string(SIZE_FORM)
  .regex(/^[0-9]+([.][0-9]+)?(B|KiB|MiB|GiB)$/, SIZE_FORM)
  .transform(parsing(SIZE_FORM, parseSizeBytes));

export function wholeNumber(expected: string, min: number, max: number) {
  return z.int(expected).min(min, expected).max(max, expected);
}

/** Returns the JSON Schema of what may be written, before it is parsed. */
export function jsonSchemaOf(schema: z.ZodType): object {
  const { $schema, ...json } = z.toJSONSchema(schema, { io: 'input' });
  return json;
}

function parsing<Given, T>(expected: string, parse: (given: Given) => T | undefined) {
  return (given: Given, context: z.RefinementCtx): T => {
    let why = '';
    try {
      const value = parse(given);
      if (value !== undefined) return value;
    } catch (error) {
      why = ` (${messageOf(error)})`;
    }
    context.addIssue({ code: 'custom', message: `${expected}${why}` });
    return z.NEVER;
  };
}
