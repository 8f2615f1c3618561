import { writeFileSync } from 'node:fs';
import { chartFiles } from './chart/files.ts';
import { configurationPage } from './configuration-page.ts';

writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationPage());
for (const [path, text] of chartFiles()) writeFileSync(path, text);
