import { defineConfig } from 'vitest/config';

const inAllFolders = (pattern: string) =>
  `{api,worker,shared,slow-server,scripts,e2e,bench,image}/**/${pattern}`;
const model = 'e2e/model/*.test.ts';
const integration = ['**/*.redis.test.ts', 'e2e/**/*.e2e.test.ts'];

/**
 * `unit` needs nothing and takes seconds, `model` needs nothing and takes its time, `chart` needs a
 * Helm, `redis` a redis-server on PATH, `e2e` starts whole fleets of processes.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          include: [inAllFolders('*.test.ts')],
          exclude: ['**/node_modules/**', model, ...integration],
        },
      },
      { test: { name: 'model', sequence: { groupOrder: 0 }, include: [model] } },
      {
        test: {
          // Renders the chart with a real Helm.
          name: 'chart',
          sequence: { groupOrder: 0 },
          include: ['charts/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'redis',
          sequence: { groupOrder: 1 },
          include: [inAllFolders('*.redis.test.ts')],
          globalSetup: ['e2e/support/redis-for-tests.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'e2e',
          // Mostly waiting for faults to be overcome: more files at a time than cores, the longest first.
          sequence: { groupOrder: 2 },
          maxWorkers: 4,
          include: ['e2e/**/*.e2e.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
