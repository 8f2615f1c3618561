/** Durations and sizes as people write them. Strict: `5`, `-5s` and `1e3ms` are rejected. */

const MS_PER_UNIT = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES_PER_UNIT = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

export const DURATION_FORM = 'a duration like 500ms, 5s, 10m or 24h';
export const SIZE_FORM = 'a size like 512KiB, 8MiB or 1GiB';

/** `'5s'` → 5000. Undefined for anything but a duration above zero, up to ten years. */
export function parseDurationMs(text: string): number | undefined {
  const value = parseAmount(text, /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/, MS_PER_UNIT);
  return value !== undefined && value <= 3650 * MS_PER_UNIT.d ? value : undefined;
}

/** `'8MiB'` → 8388608. Undefined for anything but a size above zero. */
export function parseSizeBytes(text: string): number | undefined {
  return parseAmount(text, /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB)$/, BYTES_PER_UNIT);
}

function parseAmount<Unit extends string>(
  text: string,
  form: RegExp,
  units: Record<Unit, number>,
): number | undefined {
  const [, amount, unit] = form.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  const value = Math.round(Number(amount) * units[unit as Unit]);
  return value > 0 && Number.isSafeInteger(value) ? value : undefined;
}
