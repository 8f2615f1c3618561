import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** As much as is needed of what `node --cpu-prof` writes. */
export interface CpuProfile {
  startTime: number;
  nodes: { id: number; callFrame: { functionName: string; url: string } }[];
  /** The node that ran, and the microseconds since the sample before. */
  samples: number[];
  timeDeltas: number[];
}

export const LAYERS = [
  'kernel: reads, writes, connections',
  'Node: HTTP',
  'Node: streams, sockets, timers, promises',
  'garbage collection',
  'Redis client',
  'BullMQ',
  'Hono and its server',
  'other libraries',
  'Lastframe',
  'else',
] as const;
export type Layer = (typeof LAYERS)[number];

/** What C++ is called for by Node's sockets: next to all of it is a system call. */
const KERNEL =
  /^(writev|write\w+String|writeBuffer|close|connect6?|shutdown|readStart|internalConnect)$/;

/** Where a function belongs, by its name and its file; undefined: nothing ran. */
export function layerOf(functionName: string, url: string): Layer | undefined {
  if (functionName === '(idle)') return undefined;
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (KERNEL.test(functionName) && (url === '' || url === 'node:net')) {
    return 'kernel: reads, writes, connections';
  }
  if (/^node:(_http|internal\/http|http)/.test(url)) return 'Node: HTTP';
  if (url.startsWith('node:')) return 'Node: streams, sockets, timers, promises';
  const [, library] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? [];
  if (library?.startsWith('@redis/') || library === 'redis') return 'Redis client';
  if (library === 'bullmq') return 'BullMQ';
  if (library === 'hono' || library === '@hono/node-server') return 'Hono and its server';
  if (library !== undefined) return 'other libraries';
  if (url !== '') return 'Lastframe';
  if (functionName === 'runMicrotasks') return 'Node: streams, sockets, timers, promises';
  return 'else';
}

/**
 * Milliseconds that each layer ran by itself between two times of the machine's monotonic clock.
 */
export function timeByLayer(
  { nodes, samples, timeDeltas, startTime }: CpuProfile,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Map<Layer, number> {
  const layers = new Map(
    nodes.map(({ id, callFrame }) => [id, layerOf(callFrame.functionName, callFrame.url)]),
  );
  const times = new Map<Layer, number>();
  let atMs = startTime / 1000;
  for (const [index, sample] of samples.entries()) {
    const tookMs = (timeDeltas[index] ?? 0) / 1000;
    atMs += tookMs;
    const layer = layers.get(sample);
    if (layer === undefined || atMs < fromMs || atMs > toMs) continue;
    times.set(layer, (times.get(layer) ?? 0) + tookMs);
  }
  return times;
}

/** The profiles that processes left in a folder, by process id. */
export function profilesIn(dir: string): Map<number, CpuProfile> {
  return new Map(
    readdirSync(dir)
      .filter((file) => file.endsWith('.cpuprofile'))
      .map((file) => [
        Number(file.split('.')[3]), // CPU.<date>.<time>.<pid>.<thread>.<number>
        JSON.parse(readFileSync(join(dir, file), 'utf8')) as CpuProfile,
      ]),
  );
}
