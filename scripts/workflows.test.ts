import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { validateWorkflow } from '@action-validator/core';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const GITHUB = resolve(import.meta.dirname, '../.github');
const files = readdirSync(join(GITHUB, 'workflows'));
const textOf = (file: string) => readFileSync(join(GITHUB, 'workflows', file), 'utf8');

interface Job {
  permissions?: Record<string, string>;
  'timeout-minutes'?: number;
  uses?: string;
  steps?: { uses?: string; with?: Record<string, unknown>; run?: string }[];
}
const jobsOf = (file: string) => Object.values<Job>(parse(textOf(file)).jobs);

describe.each(files)('%s', (file) => {
  it('is a valid GitHub workflow', () => {
    expect(validateWorkflow(textOf(file)).errors).toEqual([]);
    expect(validateWorkflow(textOf(file).replace('runs-on', 'run-on')).errors).not.toEqual([]);
  });

  it('has no permissions but to read the repository, and to write packages to publish', () => {
    expect(parse(textOf(file)).permissions).toEqual({ contents: 'read' });
    for (const { permissions = {}, steps = [] } of jobsOf(file)) {
      const more = Object.entries(permissions).filter(([, right]) => right !== 'read');
      expect([[], [['packages', 'write']]]).toContainEqual(more);
      for (const { uses, with: inputs } of steps) {
        if (uses?.startsWith('actions/checkout@'))
          expect(inputs?.['persist-credentials']).toBe(false);
      }
    }
  });

  it('uses actions of fixed versions, and has a timeout', () => {
    for (const job of jobsOf(file)) {
      for (const { uses } of job.steps ?? []) {
        if (uses) expect(uses).toMatch(/^(actions|docker)\/[a-z-]+@(v\d+|[0-9a-f]{40})$/);
      }
      if (!job.uses) expect(job['timeout-minutes']).toBeGreaterThan(0);
    }
  });
});

it('runs `make test` on every change and before a release', () => {
  expect(jobsOf('test.yml').flatMap(({ steps = [] }) => steps.map(({ run }) => run))).toContain(
    'make test',
  );
  const { jobs } = parse(textOf('release.yml'));
  expect(jobs.test.uses).toBe('./.github/workflows/test.yml');
  expect(jobs.image.needs).toBe('test');
  expect(jobs.chart.needs).toBe('image');
});

it('a release is built for amd64 and arm64', () => {
  const steps = jobsOf('release.yml').flatMap(({ steps = [] }) => steps);
  const build = steps.find(({ uses }) => uses?.startsWith('docker/build-push-action@'));
  expect(build?.with?.platforms).toBe('linux/amd64,linux/arm64');
});

it('Dependabot updates npm packages, the image, the compose file and the actions', () => {
  const { version, updates } = parse(readFileSync(join(GITHUB, 'dependabot.yml'), 'utf8'));
  expect(version).toBe(2);
  const ecosystems = updates.map((update: Record<string, string>) => update['package-ecosystem']);
  expect(ecosystems).toEqual(['npm', 'docker', 'docker-compose', 'github-actions']);
});
