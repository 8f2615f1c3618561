import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const FOLDER = join(import.meta.dirname, '../../.lastframe/http-cache-tests');
const RUNNER = 'client/runner.mjs';
const NPM_TIMEOUT_MS = 60_000;

export const SUITE_VERSION = '0.4.5';
const SUITE = `http-cache-tests@${SUITE_VERSION}`;
/** What the registry said when the list of applicable tests was written. */
const INTEGRITY =
  'sha512-DjuwN9nUZXLTW+wav1LRESCZNVxl8SshwOy4z1pxuWbWt5/ay6sM9QQ1lebBaDO6P1IMBoK6mdf+PuVP/QNL8A==';

/** One test as the suite defines it. */
export interface SuiteTest {
  id: string;
  name: string;
  kind?: 'required' | 'optimal' | 'check';
  requests: { expected_type?: string }[];
}

export interface TestGroup {
  id: string;
  name: string;
  tests: SuiteTest[];
}

type Handler = (segments: string[], req: IncomingMessage, res: ServerResponse) => void;
/** `true`, or the kind of the failure and a sentence. */
export type SuiteResult = true | [kind: string, message: string];

/** The parts of http-cache-tests: its tests, its client and the handlers of its origin server. */
export interface Suite {
  groups: TestGroup[];
  runTests(
    groups: TestGroup[],
    fetch: unknown,
    isBrowser: boolean,
    base: string,
    /** How many of the tests at a time. */
    chunkSize?: number,
  ): Promise<void>;
  getResults(): Record<string, SuiteResult>;
  httpDate(nowMs: number, deltaS: number, format?: 'rfc850'): string;
  handlers: Record<'config' | 'state' | 'test', Handler>;
}

let loads = 0;

/**
 * Not a dependency: it would bring the whole of npm 6 along. What is loaded runs tests once: its runner
 * keeps those of every run before.
 */
export async function loadSuite(): Promise<Suite> {
  const folder = join(FOLDER, SUITE_VERSION);
  if (!existsSync(folder)) await download(folder);
  loads += 1;
  const load = (file: string) => {
    const { href } = pathToFileURL(join(folder, file));
    return import(/* @vite-ignore */ file === RUNNER ? `${href}?${loads}` : href);
  };
  const [tests, surrogate, runner, utils, config, state, test] = await Promise.all(
    [
      'tests/index.mjs',
      'tests/surrogate-control.mjs',
      RUNNER,
      'lib/utils.mjs',
      'server/handle-config.mjs',
      'server/handle-state.mjs',
      'server/handle-test.mjs',
    ].map(load),
  );
  return {
    groups: [...tests.default, surrogate.default],
    runTests: runner.runTests,
    getResults: runner.getResults,
    httpDate: utils.httpDate,
    handlers: { config: config.default, state: state.default, test: test.default },
  };
}

async function download(folder: string): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const scratch = await mkdtemp(join(FOLDER, 'unpack-'));
  try {
    const tarball = await pack(scratch);
    await run('tar', ['xzf', join(scratch, tarball), '-C', scratch]);
    await rename(join(scratch, 'package'), folder);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function pack(folder: string): Promise<string> {
  // npm's own patience would outlast the test's.
  const patience = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000'];
  const args = ['pack', SUITE, '--json', '--pack-destination', folder, ...patience];
  const packed = await run('npm', args, { timeout: NPM_TIMEOUT_MS, cwd: folder }).catch(() => {
    throw new Error(`npm could not fetch ${SUITE} from the registry, which these tests need.`);
  });
  const [{ filename, integrity } = {}] = JSON.parse(packed.stdout);
  if (integrity !== INTEGRITY) {
    throw new Error(`The registry's ${SUITE} is not the one whose tests were read (${integrity}).`);
  }
  return filename;
}
