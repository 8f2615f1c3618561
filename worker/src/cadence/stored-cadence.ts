import { parseJson } from '@lastframe/shared/messages/announcement';
import { etagText, timeMs } from '@lastframe/shared/redis/redis-values';
import { z } from 'zod';
import { type Cadence, EXPIRIES, MAX_CHANGES } from './cadence.ts';

const number = z.int().min(0);

const format = z.object({
  firstCallMs: timeMs,
  etag: etagText,
  sinceMs: timeMs,
  seenMs: timeMs,
  changes: z.array(z.object({ number, afterMs: timeMs, byMs: timeMs })).max(MAX_CHANGES),
  nextNumber: number,
  paceMs: timeMs,
  mayHaveMissedChanges: z.boolean(),
  hasWrongDates: z.boolean(),
  expiresMs: timeMs.optional(),
  expiry: z.enum(EXPIRIES),
});

export function encodeCadence(cadence: Cadence): string {
  return JSON.stringify(cadence, (_, value) =>
    typeof value === 'number' ? Math.round(value) : value,
  );
}

/** Returns `undefined` for what cannot be read: the camera is learned anew. */
export function decodeCadence(text: string): Cadence | undefined {
  return format.safeParse(parseJson(text)).data;
}
