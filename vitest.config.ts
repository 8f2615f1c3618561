import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const inAllFolders = (pattern: string) =>
  `{api,worker,shared,slow-server,scripts,e2e,testing,bench,image}/**/${pattern}`;
/** The permit model, random inputs, and every parser on every text that could make it slow. */
const exhaustive = [
  'e2e/model/*.test.ts',
  inAllFolders('*.fuzz.test.ts'),
  'e2e/security/{linear-parsers,regular-expressions}.test.ts',
];
const integration = ['**/*.redis.test.ts', '**/*.e2e.test.ts'];

/** On a busy machine an event may take longer than the default of one second. */
const patient = { expect: { poll: { timeout: 20_000 } } };
const first = { sequence: { groupOrder: 0 }, maxWorkers: 4 };
/** Mostly waits for recovery from faults: more files at a time than cores. */
const manyAtOnce = { sequence: { groupOrder: 1 }, maxWorkers: 5, isolate: false };

/** The files that take longest for their size. */
const long = /e2e\/(model\/guarantee|faults\/(processes|long-pause))\./;

/** Sorts by size, but starts these first, or they would end alone. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => Number(long.test(moduleId));
    return sorted.toSorted((a, b) => isLong(b) - isLong(a));
  }
}

/**
 * `unit` needs nothing and takes seconds, `exhaustive` needs nothing and takes longer,
 * `chart` needs Helm, `redis` needs redis-server on PATH, `e2e` starts real processes, mostly
 * whole fleets.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          ...first,
          ...patient,
          testTimeout: 30_000,
          // Reloading the modules for each file would take half of the time, and processes more CPU.
          isolate: false,
          pool: 'threads',
          setupFiles: ['slow-server/src/shared-modules.ts'],
          include: [inAllFolders('*.test.ts')],
          exclude: ['**/node_modules/**', ...exhaustive, ...integration],
        },
      },
      {
        test: {
          name: 'exhaustive',
          ...manyAtOnce,
          ...patient,
          include: exhaustive,
          testTimeout: 60_000,
        },
      },
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
          globalSetup: ['testing/redis/redis-for-tests.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          ...manyAtOnce,
          // Most polls are requests, which cost CPU that the processes need.
          expect: { poll: { ...patient.expect.poll, interval: 150 } },
          include: [inAllFolders('*.e2e.test.ts')],
          testTimeout: 300_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
