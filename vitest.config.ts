import { defineConfig } from 'vitest/config';

const inAllFolders = (pattern: string) =>
  `{api,worker,shared,slow-server,scripts,e2e,testing,bench,image}/**/${pattern}`;
const model = 'e2e/model/*.test.ts';
const integration = ['**/*.redis.test.ts', '**/*.e2e.test.ts'];

/** On a busy machine an event may take longer than the second that is the default. */
const patient = { expect: { poll: { timeout: 20_000 } } };
const first = { sequence: { groupOrder: 0 }, maxWorkers: 4 };
/** Mostly waiting for faults to be overcome: more files at a time than cores, the largest first. */
const manyAtOnce = { sequence: { groupOrder: 1 }, maxWorkers: 3 };

/**
 * `unit` needs nothing and takes seconds, `model` needs nothing and takes its time, `chart` needs a
 * Helm, `redis` a redis-server on PATH, `e2e` starts real processes, mostly whole fleets.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          ...first,
          ...patient,
          testTimeout: 30_000,
          // Loading them anew for each file would be half the time.
          isolate: false,
          setupFiles: ['slow-server/src/shared-modules.ts'],
          include: [inAllFolders('*.test.ts')],
          exclude: ['**/node_modules/**', model, ...integration],
        },
      },
      { test: { name: 'model', ...manyAtOnce, include: [model] } },
      {
        test: {
          // Renders the chart with a real Helm.
          name: 'chart',
          ...first,
          include: ['charts/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'redis',
          ...manyAtOnce,
          ...patient,
          include: [inAllFolders('*.redis.test.ts')],
          globalSetup: ['testing/redis-for-tests.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          ...manyAtOnce,
          ...patient,
          include: [inAllFolders('*.e2e.test.ts')],
          testTimeout: 300_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
