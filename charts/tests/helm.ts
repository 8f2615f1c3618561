import { execFile, execFileSync } from 'node:child_process';
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

/** Runs Helm 4: the one on PATH, or the one that `scripts/setup --with-tests` downloaded. */
export async function helm(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(helmProgram(), args, { cwd: CHART });
  return stdout;
}

/** Renders all objects of the release `demo`, with a values file and further arguments. */
export async function render(name: ValuesName, ...args: string[]): Promise<KubeObject[]> {
  const text = await renderOnce(['template', 'demo', '.', ...valuesOf(name), ...args]);
  const objects = parseAllDocuments(text).map((document) => document.toJSON() as KubeObject);
  return objects.filter(Boolean);
}

const rendered = new Map<string, Promise<string>>();

function renderOnce(args: string[]): Promise<string> {
  const key = args.join('\n');
  const text = rendered.get(key) ?? helm(...args);
  rendered.set(key, text);
  return text;
}

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

let program: string | undefined;

function helmProgram(): string {
  program ??= ['helm', join(REPO, '.tools/helm')].find(isHelm4);
  if (!program)
    throw new Error('Helm 4 is missing: run `scripts/setup --with-tests`, or install it');
  return program;
}

function isHelm4(candidate: string): boolean {
  try {
    const args = ['version', '--template', '{{.Version}}'];
    return execFileSync(candidate, args, { encoding: 'utf8', stdio: 'pipe' }).startsWith('v4.');
  } catch {
    return false;
  }
}
