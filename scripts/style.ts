import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { countFile, quantile } from './style/count.ts';

const root = new URL('../', import.meta.url);
const page = new URL('docs/architecture.md', root);
const PLACE = /(<!-- npm run style -->\n)[\s\S]*?(\n<!-- end -->)/;

const rows = ['api', 'worker', 'shared', 'slow-server'].map(rowOf);
const table = `
| folder | files | lines per file, median / p90 | lines per function | comment lines | test ÷ source |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
console.log(table.trim());
writeFileSync(page, readFileSync(page, 'utf8').replace(PLACE, `$1${table}$2`));

function rowOf(folder: string): string {
  const all = globSync(`${folder}/src/**/*.ts`, { cwd: root.pathname });
  const isTest = (path: string) => /\.test\.ts$|\/test-/.test(path);
  const counts = (paths: string[]) =>
    paths.map((path) => countFile(path, readFileSync(new URL(path, root), 'utf8')));
  const sources = counts(all.filter((path) => !isTest(path)));
  const linesOf = (files: typeof sources) => files.reduce((sum, { lines }) => sum + lines, 0);
  const lines = sources.map((file) => file.lines);
  const functions = sources.flatMap(({ functionLines }) => functionLines);
  const comments = sources.reduce((sum, { commentLines }) => sum + commentLines, 0);
  const tests = linesOf(counts(all.filter(isTest)));
  const pair = (values: number[]) => `${quantile(values, 0.5)} / ${quantile(values, 0.9)}`;
  const share = Math.round((100 * comments) / linesOf(sources));
  const ratio = (tests / linesOf(sources)).toFixed(2);
  return `| ${folder} | ${sources.length} | ${pair(lines)} | ${pair(functions)} | ${share} % | ${ratio} |`;
}
