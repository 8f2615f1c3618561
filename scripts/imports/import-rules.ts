import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';
import { parseSync } from 'oxc-parser';

/** A file and the files of this repository that it imports, types included. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/**
 * The steps of each part, from the top of the data flow to the bottom: a step may import the steps
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
    ...['frames', 'messages', 'redis', 'telemetry', 'settings', 'http', 'cameras', 'process'],
  ],
};

/** What each part of the product may import beside itself. Tests and tools may import everything. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  api: ['shared'],
  worker: ['shared'],
  shared: [],
  'slow-server': [],
  image: ['shared'],
};

/** One sentence for each import that points up the data flow, out of the product, or in a circle. */
export function brokenImportRules(imports: Imports): string[] {
  const edges = [...imports].flatMap(([from, all]) => all.map((to) => ({ from, to })));
  const product = edges.filter(({ from }) => partOf(from) in PARTS && !isTest(from));
  return [
    ...product.flatMap(({ from, to }) => leavesProduct(from, to) ?? pointsUp(from, to) ?? []),
    ...circles(imports),
  ];
}

function leavesProduct(from: string, to: string): string | undefined {
  const [part, target] = [partOf(from), partOf(to)];
  if (isTest(to)) return `${from} imports ${to}: the product imports no test support`;
  if (part === target || PARTS[part]?.includes(target)) return undefined;
  return `${from} imports ${to}: ${part} may import ${['itself', ...(PARTS[part] ?? [])].join(' and ')}`;
}

function pointsUp(from: string, to: string): string | undefined {
  const layers = LAYERS[partOf(from)];
  if (!layers || partOf(from) !== partOf(to)) return undefined;
  const [step, target] = [stepOf(from), stepOf(to)];
  const [at, below] = [layers.indexOf(step), layers.indexOf(target)];
  if (at < 0) return `${from}: ${step} has no place in the data flow; give it one in LAYERS`;
  if (below >= at || below < 0) return undefined;
  return `${from} imports ${to}: ${step} is below ${target} in the data flow`;
}

/** The smallest circle through each file that is in one, once. */
function circles(imports: Imports): string[] {
  const found = new Map<string, string>();
  for (const start of imports.keys()) {
    const path = shortestPath(imports, start);
    const key = path?.toSorted().join();
    if (!path || !key || found.has(key)) continue;
    found.set(key, `${path.join(' imports ')} imports ${start}: a circle`);
  }
  return [...found.values()];
}

/** From a file back to itself, without its end. */
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
const stepOf = (file: string) => file.split('/')[2] ?? '';

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
