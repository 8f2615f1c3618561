import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { analyse } from 'scslre';
import { expect, it } from 'vitest';

const REPO = join(import.meta.dirname, '../..');
/** They build expressions from fixed parts; linear-parsers.test.ts covers them. */
const KNOWN_BUILDERS = ['api/src/answer/http-date.ts'];

const files = globSync('{api,worker,shared}/src/**/*.{ts,js}', { cwd: REPO }).filter(
  (file) => !/test/.test(file),
);

function literalsOf(file: string): { source: string; flags: string }[] {
  const found: { source: string; flags: string }[] = [];
  const { program } = parseSync(file, readFileSync(join(REPO, file), 'utf8'));
  new Visitor({
    Literal: (node) => {
      if ('regex' in node) found.push({ source: node.regex.pattern, flags: node.regex.flags });
    },
  }).visit(program);
  return found;
}

it('every regular expression in the product runs in linear time', () => {
  const slow = files.flatMap((file) =>
    literalsOf(file)
      .filter((literal) => analyse(literal).reports.length > 0)
      .map(({ source, flags }) => `${file}: /${source}/${flags}`),
  );
  expect(slow).toEqual([]);
  expect(files.flatMap(literalsOf).length).toBeGreaterThan(50);
});

it('only known files build regular expressions at run time', () => {
  const builds = files.filter((file) => /\bRegExp\(/.test(readFileSync(join(REPO, file), 'utf8')));
  expect(builds).toEqual(KNOWN_BUILDERS);
});

it('the check detects expressions that used to be slow', () => {
  const slow = [
    String.raw`^\s*([\w-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s;"]*)))?\s*(?:;.*)?$`,
    String.raw`([\w-]+)\s*=\s*"|([A-Za-z][\w-]*)(?=[\s,]|$)`,
    '^bearer +(.*?) *$',
    String.raw`\.+$`,
    '((a+)+)$',
  ];
  for (const source of slow) expect(analyse({ source, flags: '' }).reports).not.toEqual([]);
});
