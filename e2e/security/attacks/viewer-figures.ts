/** What the viewers of watched cameras saw since the last look. */
export interface ViewerFigures {
  hits: number;
  p50Ms: number;
  p99Ms: number;
  slowestMs: number;
  /** The oldest picture that a viewer had, by the time its camera was called. */
  oldestMs: number;
  events: number;
  pictures: number;
  /** One line for each answer that was not a frame, and each stream that was refused. */
  failures: string[];
}

/** The picture that a viewer has at the moment. */
export interface Picture {
  /** A picture has come whose call began at `startMs`. */
  replaceBy(startMs: number): void;
  /** The viewer does not look any more. */
  forget(): void;
}

export function createFigures() {
  let latencies: number[] = [];
  let counts = { oldestMs: 0, events: 0, pictures: 0, failures: [] as string[] };
  const shown = new Map<Picture, number>();
  const note = (startMs: number | undefined) => {
    if (startMs !== undefined) counts.oldestMs = Math.max(counts.oldestMs, machineMs() - startMs);
  };
  return {
    picture: () => {
      const picture: Picture = {
        replaceBy: (startMs) => {
          note(shown.get(picture));
          shown.set(picture, startMs);
        },
        forget: () => {
          note(shown.get(picture));
          shown.delete(picture);
        },
      };
      return picture;
    },
    hit: (latencyMs: number) => void latencies.push(latencyMs),
    event: () => {
      counts.events += 1;
    },
    streamed: () => {
      counts.pictures += 1;
    },
    failed: (what: string) => void counts.failures.push(what),
    take: (): ViewerFigures => {
      for (const startMs of shown.values()) note(startMs);
      latencies.sort((a, b) => a - b);
      const quantile = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0;
      const [p50Ms, p99Ms] = [quantile(0.5), quantile(0.99)];
      const slowestMs = latencies.at(-1) ?? 0;
      const taken = { hits: latencies.length, p50Ms, p99Ms, slowestMs, ...counts };
      latencies = [];
      counts = { oldestMs: 0, events: 0, pictures: 0, failures: [] };
      return taken;
    },
  };
}

/** The clock by which the camera stamps its frames. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
