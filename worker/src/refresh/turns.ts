/** Runs work in turns: so much of it at once, the rest in the order in which it came. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

export function createTurns(max: number): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;
  const begin = async () => {
    if (running < max) running += 1;
    // Whoever ends hands its turn on.
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const end = () => {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  };
  return async (work) => {
    await begin();
    try {
      return await work();
    } finally {
      end();
    }
  };
}
