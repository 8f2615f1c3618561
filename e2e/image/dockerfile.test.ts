import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDockerIgnore } from './docker-ignore.ts';
import { lastOf, parseCopy, parseDockerfile } from './dockerfile.ts';

const REPO = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(resolve(REPO, path), 'utf8');
const steps = parseDockerfile(read('Dockerfile'));
const { workspaces, devDependencies } = JSON.parse(read('package.json'));

describe('the Dockerfile', () => {
  it('has the Node that the processes are tested with', () => {
    const [major] = devDependencies.node.split('.');
    const bases = steps.filter(({ instruction }) => instruction === 'FROM');
    expect(bases.map(({ rest }) => rest.split(' ')[0])).toEqual([
      `node:${major}-slim`,
      `node:${major}-slim`,
    ]);
  });

  it('installs what production needs of every workspace, and takes its source', () => {
    const copied = steps
      .filter(({ instruction }) => instruction === 'COPY')
      .flatMap(({ rest }) => parseCopy(rest).sources);
    for (const workspace of workspaces) {
      expect(copied).toContain(`${workspace}/package.json`);
      expect(copied).toContain(`${workspace}/src`);
    }
    expect(
      steps.filter(({ instruction }) => instruction === 'RUN').map(({ rest }) => rest),
    ).toEqual([expect.stringMatching(/^npm ci --omit=dev --ignore-scripts /)]);
  });

  it('says what the image is, in the labels of the OCI', () => {
    const labels = lastOf(steps, 'LABEL');
    for (const name of ['title', 'description', 'licenses', 'version', 'revision']) {
      expect(labels).toContain(`org.opencontainers.image.${name}="`);
    }
  });

  it('is not root, asks for its health, and is an api unless it is told another part', () => {
    expect(lastOf(steps, 'USER')).toBe('1000:1000');
    expect(lastOf(steps, 'HEALTHCHECK')).toContain('image/healthcheck.ts');
    expect(JSON.parse(lastOf(steps, 'CMD'))).toEqual(['api']);
  });

  it('can be built for amd64 and arm64: the lock has what is native for both', () => {
    const { packages } = JSON.parse(read('package-lock.json'));
    for (const cpu of ['x64', 'arm64']) {
      expect(packages).toHaveProperty([`node_modules/@napi-rs/canvas-linux-${cpu}-gnu`]);
      expect(packages).toHaveProperty([
        `node_modules/@msgpackr-extract/msgpackr-extract-linux-${cpu}`,
      ]);
    }
  });
});

describe('.dockerignore', () => {
  const ignored = createDockerIgnore(read('.dockerignore'));

  it.each([
    'package.json',
    'shared/src/redis/keys.ts',
    'shared/src/frames/store-frame.lua',
    'image/main.ts',
  ])('lets %s in', (path) => {
    expect(ignored(path)).toBe(false);
  });

  it.each([
    '.env',
    '.git/config',
    'node_modules/x/y.js',
    'api/node_modules/x/y.js',
    'api/src/routes/app.test.ts',
    'worker/src/test-support/cameras.ts',
    'testing/test-redis.ts',
    'e2e/flow.e2e.test.ts',
  ])('keeps %s out', (path) => {
    expect(ignored(path)).toBe(true);
  });
});
