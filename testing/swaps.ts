import type { Page } from 'playwright-core';
import { createClient } from 'redis';
import type { Fleet } from './fleet.ts';

/** A picture that came to be seen on the wall. */
export interface Swap {
  etag: string;
  title: string;
  /** Of this machine's clock, after the page was painted with it. */
  atMs: number;
}

declare global {
  var swaps: Swap[];
}

/** Notes each picture that the wall swaps in, from the page's load on. */
export async function noteSwaps(page: Page): Promise<() => Promise<Swap[]>> {
  await page.addInitScript(() => {
    globalThis.swaps = [];
    const note = (image: HTMLImageElement) => {
      const { etag = '' } = image.dataset;
      const title = image.closest('.tile')?.querySelector('button')?.textContent ?? '';
      // What follows a frame's own callbacks comes after its painting.
      requestAnimationFrame(() =>
        setTimeout(() => globalThis.swaps.push({ etag, title, atMs: Date.now() })),
      );
    };
    new MutationObserver((records) => {
      for (const { addedNodes } of records) {
        for (const node of addedNodes) {
          if (node instanceof HTMLImageElement && node.closest('.wall')) note(node);
        }
      }
    }).observe(document, { childList: true, subtree: true });
  });
  return () => page.evaluate(() => globalThis.swaps);
}

/** When each new frame was announced, by ETag, on this machine's clock. */
export interface Announced {
  readonly atMs: ReadonlyMap<string, number>;
  /** The ETag of the latest frame of any camera. */
  latest(): string | undefined;
  close(): void;
}

export async function listenToFrames(fleet: Fleet): Promise<Announced> {
  const atMs = new Map<string, number>();
  const client = createClient({ url: fleet.redis.url });
  client.on('error', () => {});
  await client.connect();
  await client.subscribe(`${fleet.redisPrefix}:announcements`, (message) => {
    const { kind, etag } = JSON.parse(message) as { kind: string; etag?: string };
    if (kind === 'frame' && etag && !atMs.has(etag)) atMs.set(etag, Date.now());
  });
  return { atMs, latest: () => [...atMs.keys()].at(-1), close: () => client.destroy() };
}

/** The swaps that brought an older picture than the camera's last one. */
export function stepsBack(swaps: readonly Swap[], announced: Announced): Swap[] {
  const lastMs = new Map<string, number>();
  return swaps.filter(({ etag, title }) => {
    const atMs = announced.atMs.get(etag);
    const before = lastMs.get(title);
    if (atMs !== undefined) lastMs.set(title, atMs);
    return atMs !== undefined && before !== undefined && atMs < before;
  });
}

export interface Delays {
  count: number;
  medianMs: number;
  p95Ms: number;
  slowestMs: number;
  /** Of those within the 300 ms that a viewer doesn't notice. */
  shareWithin300Ms: number;
}

/** From a frame's announcement until it is seen. */
export function delaysOf(swaps: readonly Swap[], announced: Announced): Delays {
  const delays = swaps.flatMap(({ etag, atMs }) => {
    const announcedMs = announced.atMs.get(etag);
    return announcedMs === undefined ? [] : [Math.max(0, atMs - announcedMs)];
  });
  delays.sort((a, b) => a - b);
  const at = (share: number) => delays[Math.floor(delays.length * share)] ?? 0;
  return {
    count: delays.length,
    medianMs: at(0.5),
    p95Ms: at(0.95),
    slowestMs: delays.at(-1) ?? 0,
    shareWithin300Ms: delays.filter((ms) => ms <= 300).length / Math.max(1, delays.length),
  };
}
