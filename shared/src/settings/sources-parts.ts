import type { z } from 'zod';
import { type Path, type Report, valueAt } from './sources-yaml.ts';

/** Parses one part, or reports its faults with their paths in the file. */
export function parsePart<T extends z.ZodType>(
  schema: T,
  data: unknown,
  raw: unknown,
  base: Path,
  report: Report,
): z.infer<T> | undefined {
  const outcome = schema.safeParse(data);
  if (outcome.success) return outcome.data;
  for (const issue of outcome.error.issues) {
    const path = [...base, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) report([...path, key], 'unknown key');
    } else {
      report(path, `${givenText(path, valueAt(raw, issue.path))}expected ${issue.message}`);
    }
  }
  return undefined;
}

/** Keys whose values cannot be secret. */
const SHOWN = new Set([
  ...['name', 'match', 'interval', 'timeout', 'startAllowance', 'query'],
  ...['cacheBusters', 'redirects', 'networks'],
  ...['maxFrameSize', 'acceptTruncated', 'conditional', 'placeholders', 'staleFor', 'maxCameras'],
  ...['budget', 'perSecond', 'concurrency', 'frozenAfter', 'keepWarm'],
  ...['insecure', 'minVersion', 'legacy', 'servername'],
]);

/** Returns the value as written, before `${VAR}` is filled in, and only where no secret belongs. */
function givenText(path: Path, raw: unknown): string {
  if (raw === undefined) return 'it is missing; ';
  const key = path.findLast((step) => typeof step === 'string') as string | undefined;
  if (!key || !SHOWN.has(key) || path.includes('headers') || path.includes('auth')) return '';
  if (typeof raw === 'object' || String(raw).length > 200 || String(raw).includes('@')) return '';
  return `"${String(raw)}" is not valid; `;
}
