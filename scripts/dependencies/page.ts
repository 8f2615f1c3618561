import { readFileSync } from 'node:fs';
import { reasons } from './reasons.ts';

interface Lock {
  packages: Record<string, LockedPackage>;
}

interface LockedPackage {
  version?: string;
  license?: string;
  dev?: boolean;
  devOptional?: boolean;
  link?: boolean;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const root = new URL('../../', import.meta.url);
const WORKSPACES = ['shared', 'api', 'worker', 'slow-server'];

/** `docs/dependencies.md`, made from the lock: what is needed directly and why, and every licence. */
export function dependenciesPage(lock = readLock()): string {
  const { packages } = lock;
  const rows = (names: readonly string[]) =>
    names.map((name) => {
      const { version, license } = packages[`node_modules/${name}`] ?? {};
      return `| \`${name}\` | ${version} | ${license} | ${reasons[name]} |`;
    });
  const licences = new Map<string, number>();
  for (const [path, { dev, devOptional, link, license }] of Object.entries(packages)) {
    if (!path.startsWith('node_modules/') || dev || devOptional || link || !license) continue;
    licences.set(license, (licences.get(license) ?? 0) + 1);
  }
  const counted = [...licences].sort(([, a], [, b]) => b - a);
  return `# Dependencies

Written by \`npm run docs\` from \`package-lock.json\` and \`scripts/dependencies/reasons.ts\`. Versions are exact; the lock decides the rest.

## What the processes need

| package | version | licence | why |
|---|---|---|---|
${rows(runtimeDependencies(lock)).join('\n')}

With all that these need themselves, the licences of what is installed are: ${counted.map(([name, count]) => `${name} (${count})`).join(', ')}.

## What makes and tests them

| package | version | licence | why |
|---|---|---|---|
${rows(developmentDependencies(lock)).join('\n')}

Taken from the system's packages by \`make test\`, if missing: a Redis, a C compiler (for bent clocks) and whatever \`scripts/setup\` names beside them.
`;
}

/** Direct dependencies of the processes, in the order of their reasons. */
export function runtimeDependencies({ packages }: Lock): string[] {
  const names = WORKSPACES.flatMap((path) => Object.keys(packages[path]?.dependencies ?? {}));
  return inOrder(names.filter((name) => !name.startsWith('@lastframe/')));
}

/** Direct dependencies of development alone. */
export function developmentDependencies(lock: Lock): string[] {
  const runtime = new Set(runtimeDependencies(lock));
  const names = Object.keys(lock.packages['']?.devDependencies ?? {});
  return inOrder(names.filter((name) => !runtime.has(name) && !name.startsWith('@lastframe/')));
}

/** Packages of the processes that are there in two versions. */
export function duplicates({ packages }: Lock): string[] {
  const versions = new Map<string, Set<string | undefined>>();
  for (const [path, { dev, devOptional, version }] of Object.entries(packages)) {
    if (!path.includes('node_modules/') || dev || devOptional) continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    versions.set(name, (versions.get(name) ?? new Set()).add(version));
  }
  return [...versions].filter(([, all]) => all.size > 1).map(([name]) => name);
}

export function readLock(): Lock {
  return JSON.parse(readFileSync(new URL('package-lock.json', root), 'utf8'));
}

function inOrder(names: readonly string[]): string[] {
  const order = Object.keys(reasons);
  return [...new Set(names)].sort((a, b) => order.indexOf(a) - order.indexOf(b));
}
