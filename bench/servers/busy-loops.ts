import { type ChildProcess, spawn } from 'node:child_process';

/** Runs processes that each use as much of a core as they get, until `measure` has ended. */
export async function besideBusyLoops<Result>(
  count: number,
  measure: () => Promise<Result>,
): Promise<Result> {
  const loops: ChildProcess[] = [];
  const end = () => {
    for (const loop of loops) loop.kill('SIGKILL');
  };
  process.once('exit', end);
  try {
    for (let n = 0; n < count; n += 1)
      loops.push(spawn(process.execPath, ['-e', 'for(;;);'], { stdio: 'ignore' }));
    return await measure();
  } finally {
    process.off('exit', end);
    end();
  }
}
