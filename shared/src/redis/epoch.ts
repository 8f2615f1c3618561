/**
 * Returns when the last hold-off began, by the queue Redis's clock, from the record at
 * `keys.epoch`: 0 if it is missing or malformed, or if there was none (`ADOPT_REDIS`).
 *
 * The worker's `identity.lua` writes the record: Redis's identity (`<run_id>-<master_replid>`),
 * that time in ms and, once Redis has had replicas, the word `replicated`.
 */
export function holdOffBeganMs(record: string | null | undefined): number {
  return Number(/^\S+ (\d{1,15})(?!\d)/.exec(record ?? '')?.[1] ?? 0);
}
