import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';

/** One file of this repository that imports another, types included. */
export interface Import {
  from: string;
  to: string;
}

/**
 * The layers of each part, from the top of the data flow to the bottom: a layer may import those
 * below it. A name stands for a file or a folder in `src`.
 */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  api: [
    'main.ts',
    'compose.ts',
    'telemetry',
    'server',
    'announcements',
    'fast-path',
    'routes',
    'streams',
    'answer',
    'lookup',
    'camera-status',
    'demand',
    'cache',
    'access',
    'wall',
  ],
  worker: [
    'main.ts',
    'dashboard.ts',
    'compose.ts',
    'telemetry',
    'refresh',
    'admission',
    'permit',
    'cadence',
    'camera-call',
    'image',
  ],
  shared: [
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
};

/** The order of folders inside a layer. Files beside them may import them and be imported by them. */
const STEPS: Readonly<Record<string, readonly string[]>> = {
  'worker/src/camera-call': ['connect', 'dns', 'tls', 'response', 'login'],
};

/** What each part of the product may import besides itself. Tests and tools may import all. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  api: ['shared'],
  worker: ['shared'],
  shared: [],
  'slow-server': [],
  image: ['shared'],
};

/** Reports each import that points up the data flow or leaves the product. */
export function brokenImportRules(imports: readonly Import[]): string[] {
  return imports.flatMap(({ from, to }) => brokenRule(from, to) ?? []);
}

function brokenRule(from: string, to: string): string | undefined {
  const [part = '', , layer = ''] = from.split('/');
  const [target = '', , targetLayer = ''] = to.split('/');
  const others = PARTS[part];
  if (!others || isTest(from)) return undefined;
  if (isTest(to)) return `${from} imports ${to}: the product must not import test support`;
  if (part !== target) {
    if (others.includes(target)) return undefined;
    return `${from} imports ${to}: ${part} may import ${['itself', ...others].join(' and ')}`;
  }
  const layers = LAYERS[part];
  if (!layers) return undefined;
  const [at, targetAt] = [layers.indexOf(layer), layers.indexOf(targetLayer)];
  if (at < 0) return `${from}: ${layer} is not in LAYERS; add it at its place in the data flow`;
  if (targetAt === at) return brokenStep(from, to);
  return targetAt < 0 || targetAt > at ? undefined : upward(from, to, layer, targetLayer);
}

function brokenStep(from: string, to: string): string | undefined {
  const [folder, step] = folderAndStep(from);
  const [targetFolder, targetStep] = folderAndStep(to);
  const steps = folder === targetFolder ? (STEPS[folder] ?? []) : [];
  const [at, targetAt] = [steps.indexOf(step), steps.indexOf(targetStep)];
  return targetAt >= 0 && targetAt < at ? upward(from, to, step, targetStep) : undefined;
}

function folderAndStep(file: string): [folder: string, step: string] {
  const [part, src, layer, step = ''] = file.split('/');
  return [`${part}/${src}/${layer}`, step];
}

function upward(from: string, to: string, lower: string, upper: string): string {
  return `${from} imports ${to}: ${lower} is below ${upper} in the data flow`;
}

function isTest(file: string): boolean {
  return /\.test\.ts$|\/test-support\/|^(testing|e2e|bench|scripts|charts)\//.test(file);
}

/** Reads the imports of source files, whose paths are relative to `root`. */
export function readImports(root: string, files: readonly string[]): Import[] {
  const known = new Set(files);
  return files.flatMap((from) => {
    const specifiers = readFileSync(join(root, from), 'utf8').matchAll(SPECIFIER);
    const targets = [...specifiers].map(([, specifier = '']) => targetOf(from, specifier));
    return targets.filter((to) => known.has(to)).map((to) => ({ from, to }));
  });
}

/** What a file imports or re-exports, in the form that Biome gives to all files. */
const SPECIFIER = /\b(?:from |import |import\()'([^']+)'/g;

function targetOf(file: string, specifier: string): string {
  const shared = /^@lastframe\/shared\/(.+)$/.exec(specifier)?.[1];
  return shared ? `shared/src/${shared}.ts` : normalize(join(dirname(file), specifier));
}
