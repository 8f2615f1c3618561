import type { Page } from 'playwright-core';
import { quantileOf } from '../checks/quantile.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { subscribeToFrames } from './announcements.ts';

/** A picture that became visible on the wall. */
export interface Swap {
  etag: string;
  title: string;
  /** On this machine's clock, after the page painted it. */
  atMs: number;
}

declare global {
  var swaps: Swap[];
}

/** Records each picture that the wall swaps in, from page load on. */
export async function recordSwaps(page: Page): Promise<() => Promise<Swap[]>> {
  await page.addInitScript(() => {
    globalThis.swaps = [];
    const record = (image: HTMLImageElement) => {
      const { etag = '' } = image.dataset;
      const title = image.closest('.tile')?.querySelector('button')?.textContent ?? '';
      // A timeout set in an animation frame's callback runs after that frame is painted.
      requestAnimationFrame(() =>
        setTimeout(() => globalThis.swaps.push({ etag, title, atMs: Date.now() })),
      );
    };
    new MutationObserver((records) => {
      for (const { addedNodes } of records) {
        for (const node of addedNodes) {
          if (node instanceof HTMLImageElement && node.closest('.wall')) record(node);
        }
      }
    }).observe(document, { childList: true, subtree: true });
  });
  return () => page.evaluate(() => globalThis.swaps);
}

/** When each new frame was announced. */
export interface AnnouncementLog {
  /** By ETag, on this machine's clock. */
  readonly atMs: ReadonlyMap<string, number>;
  /** Returns the ETag of the latest frame of any camera. */
  latest(): string | undefined;
  close(): void;
}

export async function recordAnnouncements(fleet: Fleet): Promise<AnnouncementLog> {
  const atMs = new Map<string, number>();
  const { close } = await subscribeToFrames(fleet, ({ etag }) => {
    if (!atMs.has(etag)) atMs.set(etag, Date.now());
  });
  return { atMs, latest: () => [...atMs.keys()].at(-1), close };
}

/** Returns the swaps to a picture older than the camera's previous one. */
export function backwardSwaps(swaps: readonly Swap[], announced: AnnouncementLog): Swap[] {
  const lastMs = new Map<string, number>();
  return swaps.filter(({ etag, title }) => {
    const atMs = announced.atMs.get(etag);
    const previousMs = lastMs.get(title);
    if (atMs !== undefined) lastMs.set(title, atMs);
    return atMs !== undefined && previousMs !== undefined && atMs < previousMs;
  });
}

export interface Delays {
  count: number;
  medianMs: number;
  p95Ms: number;
  slowestMs: number;
  /** The share of delays within 300 ms, which viewers don't notice. */
  shareWithin300Ms: number;
}

/** Measures from a frame's announcement until it is visible. */
export function delaysOf(swaps: readonly Swap[], announced: AnnouncementLog): Delays {
  const delays = swaps.flatMap(({ etag, atMs }) => {
    const announcedMs = announced.atMs.get(etag);
    return announcedMs === undefined ? [] : [Math.max(0, atMs - announcedMs)];
  });
  return {
    count: delays.length,
    medianMs: quantileOf(delays, 0.5),
    p95Ms: quantileOf(delays, 0.95),
    slowestMs: quantileOf(delays, 1),
    shareWithin300Ms: delays.filter((ms) => ms <= 300).length / Math.max(1, delays.length),
  };
}
