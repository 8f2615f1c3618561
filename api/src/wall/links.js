// @ts-check

import { createLink } from './link.js';

/** @typedef {import('./link.js').Link} Link */

/** The API accepts request targets of 14 KiB, enough for hundreds of cameras. */
const MOST_CHARACTERS = 12_000;
/** The API's limit on cameras by URL in one stream; named cameras have none. */
const MOST_BY_URL = 64;

/**
 * Returns the stream URLs for all topics: one, unless there are many hundred cameras or many
 * without a name.
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
 * Creates as many links as the topics need. They all count as lost as soon as one of them is.
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
