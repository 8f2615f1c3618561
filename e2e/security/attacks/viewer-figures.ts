/** What viewers of watched cameras saw since the previous `take`. */
export interface ViewerFigures {
  hits: number;
  p50Ms: number;
  p99Ms: number;
  slowestMs: number;
  /** The age of the oldest picture that a viewer had, from the start of its call. */
  oldestMs: number;
  events: number;
  pictures: number;
  /** One line for each response that was not a frame and each rejected stream. */
  failures: string[];
}

/** The picture that a viewer currently has. */
export interface Picture {
  /** Replaces it by a picture whose call began at `startMs`. */
  replaceWith(startMs: number): void;
  /** Forgets it, because the viewer has stopped watching. */
  remove(): void;
}

export function createFigures() {
  let latencies: number[] = [];
  let counts = { oldestMs: 0, events: 0, pictures: 0, failures: [] as string[] };
  const shown = new Map<Picture, number>();
  const recordAge = (startMs: number | undefined) => {
    if (startMs !== undefined) counts.oldestMs = Math.max(counts.oldestMs, machineMs() - startMs);
  };
  return {
    picture: () => {
      const picture: Picture = {
        replaceWith: (startMs) => {
          recordAge(shown.get(picture));
          shown.set(picture, startMs);
        },
        remove: () => {
          recordAge(shown.get(picture));
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
      for (const startMs of shown.values()) recordAge(startMs);
      latencies.sort((a, b) => a - b);
      const quantile = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0;
      const [p50Ms, p99Ms] = [quantile(0.5), quantile(0.99)];
      const slowestMs = latencies.at(-1) ?? 0;
      const figures = { hits: latencies.length, p50Ms, p99Ms, slowestMs, ...counts };
      latencies = [];
      counts = { oldestMs: 0, events: 0, pictures: 0, failures: [] };
      return figures;
    },
  };
}

/** Reads the clock with which cameras stamp their frames. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
