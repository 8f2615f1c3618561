import { readFileSync, writeFileSync } from 'node:fs';
import { PAGE, page } from './page.ts';
import { runSuite } from './run-suite.ts';
import { loadSuite } from './suite.ts';

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

const groups = await runSuite(await loadSuite());
const date = new Date().toISOString().slice(0, 10);
writeFileSync(PAGE, page(groups, { version, date }));
for (const { id, result, why } of groups.flatMap(({ outcomes }) => outcomes)) {
  if (result !== 'not applicable') console.log([result, id, why].join('  '));
}
