import { writeFileSync } from 'node:fs';
import { configurationPage } from './configuration-page.ts';
import { dependenciesPage } from './dependencies/page.ts';

writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationPage());
writeFileSync(new URL('../docs/dependencies.md', import.meta.url), dependenciesPage());
