import { execFile, spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';

const REPO = resolve(import.meta.dirname, '../..');
export const CHART = join(REPO, 'charts/lastframe');

/** One rendered Kubernetes object. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels: Record<string, string>; annotations?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: the schemas are checked by a test of their own
  [key: string]: any;
}

/** Values files in `ci/`, by their first word; `default` uses none. */
export const VALUES = ['default', 'demo', 'production'] as const;
export type ValuesName = (typeof VALUES)[number];

/** Helm 4: the one on PATH, or the one that `scripts/setup --with-tests` downloaded. */
const PROGRAM = ['helm', join(REPO, '.tools/helm')].find((program) => {
  const args = ['version', '--template', '{{.Version}}'];
  return spawnSync(program, args, { encoding: 'utf8' }).stdout?.startsWith('v4.');
});

export async function helm(...args: string[]): Promise<string> {
  if (!PROGRAM)
    throw new Error('Helm 4 is missing: run `scripts/setup --with-tests`, or install it');
  const { stdout } = await promisify(execFile)(PROGRAM, args, { cwd: CHART });
  return stdout;
}

/** Renders all objects of the release `demo`, with a values file and further arguments. */
export async function render(name: ValuesName, ...args: string[]): Promise<KubeObject[]> {
  const key = [name, ...args].join('\n');
  const text = rendered.get(key) ?? helm('template', 'demo', '.', ...valuesOf(name), ...args);
  rendered.set(key, text);
  const objects = parseAllDocuments(await text).map((document) => document.toJSON() as KubeObject);
  return objects.filter(Boolean);
}

/** Helm takes longer than the tests that look at its output. */
const rendered = new Map<string, Promise<string>>();

/** Returns Helm's error message. @throws Error when it renders without an error */
export async function renderError(name: ValuesName, ...args: string[]): Promise<string> {
  const outcome = await helm('template', 'demo', '.', ...valuesOf(name), ...args).then(
    () => undefined,
    (error: { stderr: string }) => error.stderr,
  );
  if (outcome === undefined) throw new Error(`Helm accepts ${args.join(' ')}`);
  return outcome;
}

export function valuesOf(name: ValuesName): string[] {
  return name === 'default' ? [] : ['--values', `ci/${name}-values.yaml`];
}

export function findObject(objects: readonly KubeObject[], kind: string, name: string): KubeObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
}
