import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { PAGE, passesOn } from './http-cache/page.ts';
import { runSuite } from './http-cache/run-suite.ts';
import { loadSuite } from './http-cache/suite.ts';

it('passes what it is said to pass of the public http-cache-tests', async () => {
  const said = passesOn(readFileSync(PAGE, 'utf8'));
  expect(said.length).toBeGreaterThan(30);
  const groups = await runSuite(await loadSuite());
  const outcomes = groups.flatMap((group) => group.outcomes);
  const lost = said.filter((id) => outcomes.find((one) => one.id === id)?.result !== 'pass');
  expect(lost.map((id) => outcomes.find((one) => one.id === id) ?? id)).toEqual([]);
});
