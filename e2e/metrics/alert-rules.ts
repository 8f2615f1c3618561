import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const FILE = join(import.meta.dirname, '../../charts/lastframe/files/alerts.yaml');
const SECONDS = { s: 1, m: 60, h: 3600 };

export interface AlertRule {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook_url: string };
}

export const alertRulesText = readFileSync(FILE, 'utf8');

export const alertRules = (
  parse(alertRulesText) as { groups: { rules: AlertRule[] }[] }
).groups.flatMap(({ rules }) => rules);

/**
 * Returns the rules for tests that cannot wait for minutes: divides each `for` and each range, as
 * in `rate(x[5m])`, by this factor. Nothing else changes, least of all thresholds.
 */
export function shortenedRules(factor: number): string {
  const shorten = (_: string, before: string, count: string, unit: string) =>
    `${before}${(Number(count) * SECONDS[unit as 's' | 'm' | 'h'] * 1000) / factor}ms`;
  return alertRulesText.replace(/(\bfor: |\[)(\d+)([smh])/g, shorten);
}
