import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chartReadme } from './readme.ts';
import { chartVariables, configSchema } from './variables.ts';

const CHART = resolve(import.meta.dirname, '../../charts/lastframe');
const read = (path: string) => readFileSync(join(CHART, path), 'utf8');

/** Returns the chart's generated files: path → text. */
export function chartFiles(): Map<string, string> {
  const schema = JSON.parse(read('values.schema.json'));
  schema.properties.config = configSchema();
  return new Map([
    [join(CHART, 'README.md'), chartReadme(read('values.yaml'))],
    [join(CHART, 'files/variables.yaml'), chartVariables()],
    [join(CHART, 'values.schema.json'), `${JSON.stringify(schema, undefined, 2)}\n`],
  ]);
}
