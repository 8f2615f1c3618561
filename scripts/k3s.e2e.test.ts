import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SCRIPT = resolve(import.meta.dirname, 'k3s');
const ALL = { docker: '', k3s: '', helm: '' };

/** The programs are played by scripts: what is tested is when `make k3s` says what, and what it asks them. */
describe('make k3s', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lastframe-k3s-'));
    for (const name of ['scripts', 'bin']) mkdirSync(join(folder, name));
    copyFileSync(SCRIPT, join(folder, 'scripts/k3s'));
    writeFileSync(join(folder, 'k3s.yaml'), '');
    for (const tool of ['sh', 'dirname', 'mktemp', 'rm', 'cut', 'id']) {
      const path = execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
      symlinkSync(path, join(folder, 'bin', tool));
    }
    play('sudo', '"$@"');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  /** A program that notes how it is called, then does what `script` says. */
  function play(name: string, script: string) {
    const file = join(folder, 'bin', name);
    writeFileSync(file, `#!/bin/sh\necho "${name} $*" >>'${folder}/calls'\n${script}\n`);
    chmodSync(file, 0o755);
  }

  function run(programs: Partial<typeof ALL>, env: Record<string, string> = {}) {
    for (const [name, script] of Object.entries(programs)) play(name, script);
    const { status, stderr, stdout } = spawnSync(join(folder, 'scripts/k3s'), {
      env: { PATH: join(folder, 'bin'), KUBECONFIG: join(folder, 'k3s.yaml'), ...env },
      encoding: 'utf8',
    });
    return { status, said: stderr, shown: stdout };
  }

  it.each([
    [
      'no Docker',
      { k3s: '', helm: '' },
      'Docker is missing, which builds the image: install it, then try again.',
    ],
    [
      'a Docker that is not started',
      { ...ALL, docker: 'exit 1' },
      'Docker does not answer: start it, or let this user use it, then try again.',
    ],
    [
      'no k3s',
      { docker: '', helm: '' },
      'k3s is missing: install it (https://docs.k3s.io), then try again.',
    ],
    [
      'no Helm',
      { docker: '', k3s: '' },
      'Helm is missing: install it, or let scripts/setup --with-tests fetch it, then try again.',
    ],
    [
      'an image that fails',
      { ...ALL, docker: '[ "$1" != build ]' },
      'The image could not be built; what Docker says is above.',
    ],
    [
      'a k3s that refuses it',
      { ...ALL, k3s: 'exit 1' },
      'k3s did not take the image; what it says is above.',
    ],
    [
      'a Helm that fails',
      { ...ALL, helm: 'exit 1' },
      'Helm could not install it; what it says is above, and `k3s kubectl -n lastframe get pods` says more.',
    ],
  ])('with %s it ends with one sentence', (_, programs, sentence) => {
    expect(run(programs)).toMatchObject({ status: 1, said: `${sentence}\n` });
  });

  it('without the right to read the kubeconfig it ends with one sentence', () => {
    expect(run(ALL, { KUBECONFIG: '/nowhere/k3s.yaml' })).toMatchObject({
      status: 1,
      said: "/nowhere/k3s.yaml can't be read: run make k3s as root, or set KUBECONFIG to a copy of it.\n",
    });
  });

  it('installs the image that it built, under a name made of its content', () => {
    const docker = '[ "$1" != build ] || echo sha256:0123456789abcdef0123456789abcdef';
    expect(run({ ...ALL, docker })).toMatchObject({ status: 0, said: '' });
    const calls = readFileSync(join(folder, 'calls'), 'utf8').replaceAll(/\S+\/tmp\.\S+/g, 'FILE');
    expect(calls.split('\n').filter((call) => !/^sudo|^$/.test(call))).toEqual([
      'docker info',
      'docker build --quiet .',
      'docker tag sha256:0123456789abcdef0123456789abcdef lastframe:dev-0123456789ab',
      'docker save --output FILE lastframe:dev-0123456789ab',
      'k3s ctr images import FILE',
      'helm upgrade --install lastframe charts/lastframe --namespace lastframe --create-namespace --values charts/lastframe/ci/demo-values.yaml --set image.repository=lastframe --set image.tag=dev-0123456789ab --wait --timeout 5m',
    ]);
  });
});
