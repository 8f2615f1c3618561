import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

interface LockedPackage {
  version?: string;
  license?: string;
  dev?: boolean;
  devOptional?: boolean;
}

const text = readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8');
const { packages }: { packages: Record<string, LockedPackage> } = JSON.parse(text);
/** The packages installed in the image, without development and other platforms. */
const installed = Object.entries(packages).filter(
  ([path, { dev, devOptional }]) => path.includes('node_modules/') && !dev && !devOptional,
);

it('no package is installed in two versions', () => {
  const versions = Map.groupBy(installed, ([path]) => path.split('node_modules/').at(-1));
  const duplicates = [...versions].filter(
    ([, copies]) => new Set(copies.map(([, { version }]) => version)).size > 1,
  );
  expect(duplicates.map(([name]) => name)).toEqual([]);
});

it('every installed package has a permissive licence', () => {
  const permissive = [
    'MIT',
    'Apache-2.0',
    'ISC',
    '0BSD',
    'BSD-3-Clause',
    'BlueOak-1.0.0',
    'OFL-1.1',
  ];
  const others = installed.filter(
    ([, { license }]) => license !== undefined && !permissive.includes(license),
  );
  expect(others.map(([path]) => path)).toEqual([]);
  expect(installed.length).toBeGreaterThan(50);
});

it('the lockfile names no registry', () => {
  expect(text).not.toMatch(/"resolved": "https?:/);
});
