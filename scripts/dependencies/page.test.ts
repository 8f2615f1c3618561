import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  dependenciesPage,
  developmentDependencies,
  duplicates,
  readLock,
  runtimeDependencies,
} from './page.ts';
import { reasons } from './reasons.ts';

const lock = readLock();

it('docs/dependencies.md says what the lock holds; `npm run docs` writes it', () => {
  const page = readFileSync(new URL('../../docs/dependencies.md', import.meta.url), 'utf8');
  expect(page).toBe(dependenciesPage(lock));
});

it('every direct dependency has a reason, and every reason a dependency', () => {
  const names = [...runtimeDependencies(lock), ...developmentDependencies(lock)];
  expect(Object.keys(reasons).sort()).toEqual([...names].sort());
});

it('the processes need no package in two versions', () => {
  expect(duplicates(lock)).toEqual([]);
});

it('every package of the processes has a licence that allows any use', () => {
  const free = ['MIT', 'Apache-2.0', 'ISC', '0BSD', 'BSD-3-Clause', 'BlueOak-1.0.0', 'OFL-1.1'];
  const licences = Object.entries(lock.packages)
    .filter(([path, { dev, link }]) => path.startsWith('node_modules/') && !dev && !link)
    .map(([, { license }]) => license)
    // Builds for other platforms are of the package that names them.
    .filter((license) => license !== undefined);
  expect([...new Set(licences)].filter((license) => !free.includes(license))).toEqual([]);
});

it('the lock names no registry', () => {
  const text = readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8');
  expect(text).not.toMatch(/"resolved": "https?:/);
});
