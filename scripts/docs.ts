import { writeFileSync } from 'node:fs';
import { configurationPage } from './configuration-page.ts';
import { dependenciesPage } from './dependencies/page.ts';
import { metricsPage } from './metrics-page.ts';

writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationPage());
writeFileSync(new URL('../docs/dependencies.md', import.meta.url), dependenciesPage());
writeFileSync(new URL('../docs/metrics.md', import.meta.url), metricsPage());
