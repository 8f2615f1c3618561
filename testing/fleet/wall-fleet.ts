import { type Balancer, startBalancer } from './balancer.ts';
import { type Api, type Fleet, startFleet } from './fleet.ts';
import { writeSourcesFile } from './sources-file.ts';

export interface WallCamera {
  name: string;
  title: string;
  query?: Record<string, string>;
}

/** A fleet with named cameras behind a balancer, as viewers of a wall reach it. */
export interface WallFleet {
  fleet: Fleet;
  balancer: Balancer;
  /** Part of every camera's URL, and must appear nowhere else. */
  secret: string;
  startApi(env?: Record<string, string>): Promise<Api>;
  stop(): Promise<void>;
}

export interface WallFleetOptions {
  cameras: readonly WallCamera[];
  intervalMs: number;
  delayMs?: number;
  apis?: number;
  /** More properties of the source, in YAML flow style. */
  source?: string;
}

export async function startWallFleet(options: WallFleetOptions): Promise<WallFleet> {
  const { cameras, intervalMs, delayMs = 50, apis = 1, source = '' } = options;
  const secret = 'planted-in-a-url';
  const fleet = await startFleet({ apis: 0, workers: 0, intervalMs, delayMs });
  const balancer = await startBalancer();
  const lines = cameras.map(({ name, title, query = {} }) => {
    const search = new URLSearchParams({ size: '64x36', ...query, key: secret });
    return `  ${name}: { title: "${title}", url: "${fleet.slow.url}/image/${encodeURIComponent(title)}?${search}" }`;
  });
  const sources = writeSourcesFile(
    `sources:\n  - { name: slow, match: "${fleet.slow.url}/*" ${source} }\ncameras:\n${lines.join('\n')}\n`,
  );
  const stop = async () => {
    await balancer.close();
    await fleet.stop();
    sources.remove();
  };
  const startApi = (env: Record<string, string> = {}) =>
    fleet.startApi({ SOURCES_FILE: sources.path, ...env });
  try {
    await fleet.startWorker({ SOURCES_FILE: sources.path, ADOPT_REDIS: 'true' });
    const started = await Promise.all(Array.from({ length: apis }, () => startApi()));
    await Promise.all(started.map((api) => balancer.addWhenReady(api)));
    return { fleet, balancer, secret, startApi, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
