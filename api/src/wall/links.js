// @ts-check

import { createLink } from './link.js';

/** @typedef {import('./link.js').Link} Link */

/** The API takes request targets of 14 KiB: the news of some hundred cameras fit in one. */
const MOST_CHARACTERS = 12_000;
/** So many cameras by their URL it takes at once, and any number of named ones. */
const MOST_BY_URL = 64;

/**
 * The URLs by which all topics are heard of: one, but for a wall of many hundred cameras, or of many without a name.
 * @param {readonly string[]} topics
 * @returns {string[]}
 */
export function eventsUrls(topics) {
  /** @type {string[]} */
  const urls = [];
  let byUrl = 0; // in the last one
  for (const topic of topics) {
    const one = topic.startsWith('url=') ? 1 : 0;
    const longer = `${urls.at(-1) ?? ''}&${topic}`;
    if (urls.length > 0 && longer.length <= MOST_CHARACTERS && byUrl + one <= MOST_BY_URL) {
      urls.splice(-1, 1, longer);
      byUrl += one;
    } else {
      urls.push(`events?${topic}`);
      byUrl = one;
    }
  }
  return urls;
}

/**
 * As many links as the topics need; lost as soon as one of them is.
 * @param {object} options
 * @param {() => readonly string[]} options.topics
 * @param {(news: import('./link.js').News) => void} options.onNews
 * @param {(state: import('./link.js').LinkState) => void} options.onState
 * @param {() => Promise<boolean>} options.isExplained
 * @returns {Link}
 */
export function createLinks({ topics, onNews, onState, isExplained }) {
  /** @type {Link[]} */
  const links = [];
  /** @type {Set<number>} */
  const lost = new Set();

  const add = (/** @type {number} */ n) =>
    createLink({
      target: () => eventsUrls(topics())[n],
      onNews,
      onState: (state) => {
        if (state === 'lost') lost.add(n);
        else lost.delete(n);
        onState(lost.size > 0 ? 'lost' : 'open');
      },
      isExplained,
    });

  return {
    open: () => {
      const needed = Math.max(1, eventsUrls(topics()).length);
      while (links.length < needed) links.push(add(links.length));
      for (const link of links) link.open();
    },
    close: () => {
      for (const link of links) link.close();
    },
  };
}
