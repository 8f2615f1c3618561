import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { metricsPage } from './metrics-page.ts';

it('docs/metrics.md matches the metric definitions; `npm run docs` writes it', () => {
  const page = readFileSync(new URL('../docs/metrics.md', import.meta.url), 'utf8');
  expect(page).toBe(metricsPage());
});
