import { writeFileSync } from 'node:fs';
import { configurationPage } from './configuration-page.ts';
import { metricsPage } from './metrics-page.ts';

writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationPage());
writeFileSync(new URL('../docs/metrics.md', import.meta.url), metricsPage());
