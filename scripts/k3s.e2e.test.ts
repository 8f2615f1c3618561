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

/** Fakes the programs by scripts, to test the messages of `make k3s` and the commands it runs. */
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
    fakeProgram('sudo', '"$@"');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  /** Creates a program that records its arguments and then runs `script`. */
  function fakeProgram(name: string, script: string) {
    const file = join(folder, 'bin', name);
    writeFileSync(file, `#!/bin/sh\necho "${name} $*" >>'${folder}/calls'\n${script}\n`);
    chmodSync(file, 0o755);
  }

  function run(programs: Partial<typeof ALL>, env: Record<string, string> = {}) {
    for (const [name, script] of Object.entries(programs)) fakeProgram(name, script);
    const { status, stderr, stdout } = spawnSync(join(folder, 'scripts/k3s'), {
      env: { PATH: join(folder, 'bin'), KUBECONFIG: join(folder, 'k3s.yaml'), ...env },
      encoding: 'utf8',
    });
    return { status, stderr, stdout };
  }

  it.each([
    [
      'no Docker',
      { k3s: '', helm: '' },
      'Docker is missing; it builds the image. Install it, then try again.',
    ],
    [
      'Docker not running',
      { ...ALL, docker: 'exit 1' },
      'Docker does not respond: start it, or give this user access to it, then try again.',
    ],
    [
      'no k3s',
      { docker: '', helm: '' },
      'k3s is missing: install it (https://docs.k3s.io), then try again.',
    ],
    [
      'no Helm',
      { docker: '', k3s: '' },
      'Helm is missing: install it, or let scripts/setup --with-tests download it, then try again.',
    ],
    [
      'an image that fails to build',
      { ...ALL, docker: '[ "$1" != build ]' },
      'Docker failed to build the image; its output is above.',
    ],
    [
      'a k3s that rejects the image',
      { ...ALL, k3s: 'exit 1' },
      'k3s failed to import the image; its output is above.',
    ],
    [
      'a Helm that fails',
      { ...ALL, helm: 'exit 1' },
      'Helm failed to install the chart; its output is above. For details, run `k3s kubectl -n lastframe get pods`.',
    ],
  ])('with %s it fails with one sentence', (_, programs, sentence) => {
    expect(run(programs)).toMatchObject({ status: 1, stderr: `${sentence}\n` });
  });

  it('without read access to the kubeconfig it fails with one sentence', () => {
    expect(run(ALL, { KUBECONFIG: '/nowhere/k3s.yaml' })).toMatchObject({
      status: 1,
      stderr:
        '/nowhere/k3s.yaml cannot be read: run make k3s as root, or set KUBECONFIG to a copy of it.\n',
    });
  });

  it('installs the image it built, tagged by its content', () => {
    const docker = '[ "$1" != build ] || echo sha256:0123456789abcdef0123456789abcdef';
    expect(run({ ...ALL, docker })).toMatchObject({ status: 0, stderr: '' });
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
