import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';
import { parseSync } from 'oxc-parser';

/** Each file with the files of this repository that it imports, types included. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/**
 * The layers of each part, from the top of the data flow to the bottom: a layer may import those
 * below it. A name stands for a file or a folder in `src`.
 */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  api: [
    ...['main.ts', 'server', 'compose.ts', 'telemetry', 'announcements', 'fast-path', 'routes'],
    ...['streams', 'answer', 'lookup', 'camera-status', 'demand', 'cache', 'access', 'wall'],
  ],
  worker: [
    ...['main.ts', 'dashboard.ts', 'compose.ts', 'telemetry', 'refresh', 'admission', 'permit'],
    ...['camera-call', 'image'],
  ],
  shared: [
    ...[
      'startup',
      'frames',
      'messages',
      'redis',
      'telemetry',
      'settings',
      'http',
      'cameras',
      'process',
    ],
  ],
};

/** What each part of the product may import besides itself. Tests and tools may import all. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  api: ['shared'],
  worker: ['shared'],
  shared: [],
  'slow-server': [],
  image: ['shared'],
};

/** Reports each import that points up the data flow, leaves the product or closes a cycle. */
export function brokenImportRules(imports: Imports): string[] {
  const edges = [...imports].flatMap(([from, all]) => all.map((to) => ({ from, to })));
  const product = edges.filter(({ from }) => partOf(from) in PARTS && !isTest(from));
  return [
    ...product.flatMap(({ from, to }) => leavesProduct(from, to) ?? pointsUp(from, to) ?? []),
    ...cycles(imports),
  ];
}

function leavesProduct(from: string, to: string): string | undefined {
  const [part, target] = [partOf(from), partOf(to)];
  if (isTest(to)) return `${from} imports ${to}: the product must not import test support`;
  if (part === target || PARTS[part]?.includes(target)) return undefined;
  return `${from} imports ${to}: ${part} may import ${['itself', ...(PARTS[part] ?? [])].join(' and ')}`;
}

function pointsUp(from: string, to: string): string | undefined {
  const layers = LAYERS[partOf(from)];
  if (!layers || partOf(from) !== partOf(to)) return undefined;
  const [layer, target] = [layerOf(from), layerOf(to)];
  const [at, below] = [layers.indexOf(layer), layers.indexOf(target)];
  if (at < 0) return `${from}: ${layer} is not in LAYERS; add it at its place in the data flow`;
  if (below >= at || below < 0) return undefined;
  return `${from} imports ${to}: ${layer} is below ${target} in the data flow`;
}

/** Reports the shortest cycle through each file that is in one, each cycle once. */
function cycles(imports: Imports): string[] {
  const found = new Map<string, string>();
  for (const start of imports.keys()) {
    const path = shortestPath(imports, start);
    const key = path?.toSorted().join();
    if (!path || !key || found.has(key)) continue;
    found.set(key, `${path.join(' imports ')} imports ${start}: a cycle`);
  }
  return [...found.values()];
}

/** Returns the shortest path from a file back to itself, without its end. */
function shortestPath(imports: Imports, start: string): string[] | undefined {
  const paths = [[start]];
  const seen = new Set<string>();
  for (const path of paths) {
    for (const next of imports.get(path.at(-1) ?? '') ?? []) {
      if (next === start) return path;
      if (seen.has(next)) continue;
      seen.add(next);
      paths.push([...path, next]);
    }
  }
  return undefined;
}

const partOf = (file: string) => file.split('/')[0] ?? '';
const layerOf = (file: string) => file.split('/')[2] ?? '';

function isTest(file: string): boolean {
  return /\.test\.ts$|\/test-support\/|^(testing|e2e|bench|scripts|charts)\//.test(file);
}

/** Reads the imports of source files, whose paths are relative to `root`. */
export function readImports(root: string, files: readonly string[]): Imports {
  const known = new Set(files);
  return new Map(
    files.map((file) => {
      const specifiers = specifiersOf(file, readFileSync(join(root, file), 'utf8'));
      const targets = specifiers.map((specifier) => targetOf(file, specifier));
      return [file, [...new Set(targets)].filter((target) => known.has(target))];
    }),
  );
}

function specifiersOf(file: string, text: string): string[] {
  const { module } = parseSync(file, text);
  return [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ),
    ...module.dynamicImports.map(({ moduleRequest: { start, end } }) =>
      text.slice(start + 1, end - 1),
    ),
  ];
}

function targetOf(file: string, specifier: string): string {
  const shared = /^@lastframe\/shared\/(.+)$/.exec(specifier)?.[1];
  return shared ? `shared/src/${shared}.ts` : normalize(join(dirname(file), specifier));
}
