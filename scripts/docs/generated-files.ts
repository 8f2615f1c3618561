import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chartReadme } from './chart-readme.ts';
import { chartVariables, configSchema } from './chart-variables.ts';
import { configurationPage } from './configuration-page.ts';
import { metricsPage } from './metrics-page.ts';

export const ROOT = resolve(import.meta.dirname, '../..');

/** Returns the files that `npm run docs` writes: path from the repository's root → text. */
export function generatedFiles(): Map<string, string> {
  const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
  const schema = JSON.parse(read('charts/lastframe/values.schema.json'));
  schema.properties.config = configSchema();
  return new Map([
    ['docs/configuration.md', configurationPage()],
    ['docs/metrics.md', metricsPage()],
    ['charts/lastframe/README.md', chartReadme(read('charts/lastframe/values.yaml'))],
    ['charts/lastframe/files/variables.yaml', chartVariables()],
    ['charts/lastframe/values.schema.json', `${JSON.stringify(schema, undefined, 2)}\n`],
  ]);
}
