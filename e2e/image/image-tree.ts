import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { createDockerIgnore } from './docker-ignore.ts';
import { lastOf, parseCopy, parseDockerfile, type Step } from './dockerfile.ts';

const REPO = resolve(import.meta.dirname, '../..');

/** The files of the image, made as the Dockerfile makes them, and how it starts a process. */
export interface ImageTree {
  /** Its WORKDIR, below a folder that stands for `/`. */
  workdir: string;
  /** Node, outside of every folder that only we may read. */
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
  const node = join(root, 'node');
  copyFileSync(process.execPath, node);
  execFileSync('chmod', ['-R', 'a+rX,a-w', root]);
  const [uid = Number.NaN, gid = Number.NaN] = lastOf(steps, 'USER').split(':').map(Number);
  return {
    workdir,
    node,
    entrypoint: JSON.parse(lastOf(steps, 'ENTRYPOINT')),
    healthcheck: JSON.parse(lastOf(steps, 'HEALTHCHECK').replace(/^.* CMD /, '')),
    uid,
    gid,
    remove: () => {
      execFileSync('chmod', ['-R', 'u+w', root]);
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
    for (const source of sources)
      cpSync(inStage(root, from, source), folder, { recursive: true, verbatimSymlinks: true });
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

/** The one command that our Dockerfile runs; what was downloaded before is taken from npm's cache. */
function install(command: string, folder: string): void {
  const [npm = '', ...args] = command.split(' ');
  if (npm !== 'npm' || args[0] !== 'ci') throw new Error(`an unknown step: RUN ${command}`);
  const env = { ...process.env, npm_config_prefer_offline: 'true' };
  execFileSync(npm, args, { cwd: folder, env, stdio: 'pipe' });
}

function workdirOf(steps: readonly Step[], stage: string): string {
  return steps.find((step) => step.stage === stage && step.instruction === 'WORKDIR')?.rest ?? '/';
}

function inStage(root: string, stage: string, path: string): string {
  return join(root, stage, path);
}
