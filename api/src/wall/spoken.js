// @ts-check

import { changesSentence } from './words.js';

/** @typedef {import('./words.js').Health} Health */

/** Changes within this time are announced together. */
const GATHER_MS = 1500;

/**
 * Announces changes of health and connection to screen readers, politely; never each frame.
 * @param {HTMLElement} region a live region
 */
export function createSpoken(region) {
  /** @type {Map<string, Health>} */
  const known = new Map();
  /** @type {Map<string, { title: string, health: Health, reason?: string | undefined }>} */
  const changed = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  return {
    /** @param {string} sentence */
    say: (sentence) => {
      region.textContent = sentence;
    },
    /** @param {import('./tile.js').Tile} tile */
    onChange: ({ camera, health, reason }) => {
      const now = health();
      const before = known.get(camera.key);
      // A lost connection is announced once, not for each camera.
      if (now === 'unknown' || now === before) return;
      known.set(camera.key, now);
      if (before === undefined) return;
      changed.set(camera.key, { title: camera.title, health: now, reason: reason() });
      if (timer !== undefined) return;
      timer = setTimeout(() => {
        timer = undefined;
        region.textContent = changesSentence([...changed.values()]);
        changed.clear();
      }, GATHER_MS);
    },
  };
}
