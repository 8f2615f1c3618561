// @ts-check

import { wordsOf } from './picture.js';

/**
 * A camera that this wall shows.
 * @typedef {object} Camera
 * @property {string} key the name or URL in its updates
 * @property {string} title
 * @property {string} imageUrl relative to the page, which may be served below any path
 * @property {string} topic its parameter for `events`
 * @property {number} [intervalMs]
 * @property {number | undefined} [maxIntervalMs]
 * @property {import('./link.js').News} [state] when the list was made
 */

/**
 * Returns what the page's query chooses: `?camera=` named cameras, `?url=` others. Without either,
 * all named cameras are shown.
 * @param {URLSearchParams} query
 */
export function choiceIn(query) {
  const columns = Number(query.get('columns'));
  return {
    names: [...new Set(query.getAll('camera'))],
    urls: [...new Set(query.getAll('url').map((url) => url.trim()))].filter(Boolean),
    columns: Number.isInteger(columns) && columns > 0 && columns <= 100 ? columns : undefined,
  };
}

/** @typedef {ReturnType<typeof choiceIn>} Choice */

/**
 * Fetches the chosen cameras, in the order of the operator's file; undefined if that fails.
 * @param {Choice} choice
 * @returns {Promise<Camera[] | undefined>}
 */
export async function listCameras({ names, urls }) {
  const byUrl = urls.map(cameraOfUrl);
  if (names.length === 0 && urls.length > 0) return byUrl;
  try {
    const response = await fetch('cameras', { cache: 'no-cache' });
    if (!response.ok) return undefined;
    /** @type {{ cameras: Named[] }} */
    const { cameras } = await response.json();
    const chosen = cameras.filter(({ name }) => names.length === 0 || names.includes(name));
    return [...chosen.map(cameraOfName), ...byUrl];
  } catch {
    return undefined;
  }
}

/**
 * @typedef {import('./link.js').News & {
 *   name: string, title: string, intervalMs: number, maxIntervalMs?: number
 * }} Named
 */

/** @returns {Camera} */
function cameraOfName(/** @type {Named} */ state) {
  const { name, title, intervalMs, maxIntervalMs } = state;
  const encoded = encodeURIComponent(name);
  const imageUrl = `cameras/${encoded}`;
  const intervals = { intervalMs, maxIntervalMs };
  return { key: name, title, imageUrl, topic: `camera=${encoded}`, ...intervals, state };
}

/** @returns {Camera} */
function cameraOfUrl(/** @type {string} */ url) {
  const encoded = encodeURIComponent(url);
  const title = url.replace(/^https?:\/\//, '');
  return { key: url, title, imageUrl: `images?url=${encoded}`, topic: `url=${encoded}` };
}

/**
 * Returns why a camera without a name may not be shown here; undefined if it may, or if unknown.
 * @param {Camera} camera
 * @returns {Promise<string | undefined>}
 */
export async function refusalOf({ topic, imageUrl }) {
  if (!topic.startsWith('url=')) return undefined;
  try {
    const response = await fetch(imageUrl, { headers: { Prefer: 'respond-async' } });
    return response.status >= 400 && response.status < 500 ? await wordsOf(response) : undefined;
  } catch {
    return undefined;
  }
}
