import { writeFileSync } from 'node:fs';
import { chartFiles } from './chart/files.ts';
import { configurationPage } from './configuration-page.ts';
import { metricsPage } from './metrics-page.ts';

writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationPage());
writeFileSync(new URL('../docs/metrics.md', import.meta.url), metricsPage());
for (const [path, text] of chartFiles()) writeFileSync(path, text);
