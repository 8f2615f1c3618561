import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { createDockerIgnore } from './docker-ignore.ts';
import { lastOf, parseCopy, parseDockerfile, type Step } from './dockerfile.ts';

const REPO = resolve(import.meta.dirname, '../..');
const isRoot = process.getuid?.() === 0;

/** The files of the image, made as the Dockerfile makes them, and how it starts a process. */
export interface ImageTree {
  /** Its WORKDIR, below a folder that stands for `/`. */
  workdir: string;
  /** Node, where the image's user may run it. */
  node: string;
  entrypoint: string[];
  healthcheck: string[];
  uid: number;
  gid: number;
  remove(): void;
}

/** Runs the steps of the Dockerfile that make files; what it makes can't be written to afterwards. */
export function makeImageTree(): ImageTree {
  const steps = parseDockerfile(readFileSync(join(REPO, 'Dockerfile'), 'utf8'));
  const root = mkdtempSync(join(tmpdir(), 'lastframe-image-'));
  for (const step of steps) run(step, steps, root);
  const workdir = inStage(root, 'final', lastOf(steps, 'WORKDIR'));
  const node = isRoot ? join(root, 'node') : process.execPath;
  execFileSync('chmod', ['-R', 'a+rX,a-w', root]);
  if (isRoot) copyFileSync(process.execPath, node);
  const [uid = Number.NaN, gid = Number.NaN] = lastOf(steps, 'USER').split(':').map(Number);
  return {
    workdir,
    node,
    entrypoint: JSON.parse(lastOf(steps, 'ENTRYPOINT')),
    healthcheck: JSON.parse(lastOf(steps, 'HEALTHCHECK').replace(/^.* CMD /, '')),
    uid,
    gid,
    remove: () => {
      if (!isRoot) execFileSync('chmod', ['-R', 'u+w', root]);
      rmSync(root, { recursive: true });
    },
  };
}

function run({ stage, instruction, rest }: Step, steps: readonly Step[], root: string): void {
  const folder = () => inStage(root, stage, workdirOf(steps, stage));
  if (instruction === 'WORKDIR') mkdirSync(inStage(root, stage, rest), { recursive: true });
  if (instruction === 'COPY') copy(rest, folder(), root);
  if (instruction === 'RUN') install(rest, folder());
}

function copy(rest: string, folder: string, root: string): void {
  const { from, sources, target } = parseCopy(rest);
  if (from) {
    for (const source of sources) moveInto(inStage(root, from, source), folder);
    return;
  }
  const ignored = createDockerIgnore(readFileSync(join(REPO, '.dockerignore'), 'utf8'));
  for (const source of sources) {
    const path = join(REPO, source);
    if (ignored(source))
      throw new Error(`.dockerignore hides ${source}, which the Dockerfile copies`);
    // As Docker does: a folder's content goes into the target, a file into the target if that is a folder.
    const into =
      statSync(path).isFile() && target.endsWith('/')
        ? join(folder, target, source.replace(/^.*\//, ''))
        : join(folder, target);
    mkdirSync(dirname(into), { recursive: true });
    cpSync(path, into, { recursive: true, filter: (file) => !ignored(relative(REPO, file)) });
  }
}

/** Moved, not copied: ten thousand files, which the first stage needs no more. */
function moveInto(source: string, target: string): void {
  for (const name of readdirSync(source)) renameSync(join(source, name), join(target, name));
}

/** What our Dockerfile runs; what was downloaded before is taken from npm's cache. */
function install(commands: string, folder: string): void {
  const env = { ...process.env, npm_config_prefer_offline: 'true' };
  for (const command of commands.split(' && ')) {
    if (!/^(npm ci|rm -rf node_modules\/)/.test(command))
      throw new Error(`an unknown step: ${command}`);
    const [program = '', ...args] = command.split(' ');
    execFileSync(program, args, { cwd: folder, env, stdio: 'pipe' });
  }
}

function workdirOf(steps: readonly Step[], stage: string): string {
  return steps.find((step) => step.stage === stage && step.instruction === 'WORKDIR')?.rest ?? '/';
}

function inStage(root: string, stage: string, path: string): string {
  return join(root, stage, path);
}
