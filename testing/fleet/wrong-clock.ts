import { execFileSync } from 'node:child_process';
import { openSync, writeSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A wall clock that a test sets for one process, whose monotonic clock stays true. */
export interface WrongClock {
  /** Environment for the process. */
  readonly env: { LD_PRELOAD: string; CLOCK_OFFSET_FILE: string };
  /** Shifts it by this much from the true time, at once. */
  setOffset(ms: number): void;
}

/** @throws Error when there is no C compiler for the preloaded shim */
export async function wrongClock(ms = 0): Promise<WrongClock> {
  const dir = await mkdtemp(join(tmpdir(), 'lastframe-clock-'));
  const file = join(dir, 'offset');
  const descriptor = openSync(file, 'w');
  const setOffset = (by: number) => {
    const offset = Buffer.alloc(8);
    offset.writeBigInt64LE(BigInt(by) * 1_000_000n);
    writeSync(descriptor, offset, 0, 8, 0);
  };
  setOffset(ms);
  return { setOffset, env: { LD_PRELOAD: compileShim(dir), CLOCK_OFFSET_FILE: file } };
}

function compileShim(dir: string): string {
  const library = join(dir, 'clock-shim.so');
  const source = join(import.meta.dirname, 'clock-shim.c');
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source], { stdio: 'pipe' });
  } catch (cause) {
    throw new Error('the clock shim needs a C compiler; run `make setup` or install gcc', {
      cause,
    });
  }
  return library;
}
