import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, matchesGlob, resolve } from 'node:path';
import { expect, it } from 'vitest';

const REPO = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(REPO, path), 'utf8');
const { workspaces, devDependencies } = JSON.parse(read('package.json'));
const dockerfile = read('Dockerfile');
const ignoreLines = read('.dockerignore')
  .split('\n')
  .filter((line) => line && !line.startsWith('#'));
const hidden = ignoreLines.filter((line) => line.startsWith('**/'));
const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) =>
  sources.split(' '),
);
const folders = copied.filter((path) => !path.includes('.'));
/** The source files of the image. */
const files = folders
  .flatMap((folder) => globSync(`${folder}/**/*.*`, { cwd: REPO }))
  .filter(
    (path) => !hidden.some((glob) => matchesGlob(path, glob) || matchesGlob(path, `${glob}/**`)),
  );

it('the image has the source and the manifest of each workspace, and nothing else', () => {
  const manifests = workspaces.map((workspace: string) => `${workspace}/package.json`);
  const sources = workspaces.map((workspace: string) => `${workspace}/src`);
  const root = ['package.json', 'package-lock.json', '.npmrc'];
  expect(copied.toSorted()).toEqual([...root, ...manifests, ...sources, 'image'].toSorted());
});

it('.dockerignore lets in what the Dockerfile copies, without tests', () => {
  const letIn = copied.map((path) => `!${path.split('/')[0]}`);
  expect(ignoreLines).toEqual(['*', ...unique(letIn), ...hidden]);
  expect(files).toContain('shared/src/frames/store-frame.lua');
  expect(files.filter((path) => /\btest\b|\btesting\b|node_modules/.test(path))).toEqual([]);
});

it('every import in the image is another file of it, of Node, or a production dependency', () => {
  const present = new Set(files);
  const missing = files
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) => {
      const [workspace = ''] = path.split('/');
      const allowed = workspace === 'image' ? {} : JSON.parse(read(`${workspace}/package.json`));
      return importsOf(path)
        .filter((name) =>
          name.startsWith('.')
            ? !present.has(join(path, '..', name))
            : !isBuiltin(name) && !(packageOf(name) in (allowed.dependencies ?? {})),
        )
        .map((name) => `${path}: ${name}`);
    });
  expect(missing).toEqual([]);
  expect(importsOf('image/main.ts')).toEqual(['./parts.ts']);
});

it('the image runs the Node that the tests run on, and not as root', () => {
  const [major] = devDependencies.node.split('.');
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
  expect(bases).toEqual([`node:${major}-slim`, `node:${major}-slim`]);
  expect(dockerfile).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
  expect(dockerfile).toMatch(/^RUN npm ci --omit=dev --ignore-scripts /m);
});

it('the lockfile has the native packages for amd64 and arm64', () => {
  const { packages } = JSON.parse(read('package-lock.json'));
  for (const cpu of ['x64', 'arm64']) {
    expect(packages).toHaveProperty([`node_modules/@napi-rs/canvas-linux-${cpu}-gnu`]);
    expect(packages).toHaveProperty([
      `node_modules/@msgpackr-extract/msgpackr-extract-linux-${cpu}`,
    ]);
  }
});

/** Each value once, in the order of its first occurrence. */
function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/** Returns what a file imports when it runs: type imports are erased. */
function importsOf(path: string): string[] {
  const code = read(path).replaceAll(/import type [^;]+;/g, '');
  return [...code.matchAll(/^(?:import|export)\s(?:[^;'=]*\sfrom\s)?'([^']+)';$/gm)].map(
    ([, name = '']) => name,
  );
}

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}
