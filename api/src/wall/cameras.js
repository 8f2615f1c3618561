// @ts-check

import { wordsOf } from './picture.js';

/**
 * A camera that this wall shows.
 * @typedef {object} Camera
 * @property {string} key as its news name it
 * @property {string} title
 * @property {string} imageUrl relative to the page, which may stand below any path
 * @property {string} topic its parameter of `events`
 * @property {number} [intervalMs]
 * @property {import('./link.js').News} [state] as it was when the list was made
 */

/**
 * What the page's own query chooses: `?camera=` some of the named cameras, `?url=` others; none
 * means all that have a name.
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
 * The chosen cameras, in the order of the operator's file; undefined when nobody could be asked.
 * @param {Choice} choice
 * @returns {Promise<Camera[] | undefined>}
 */
export async function listCameras({ names, urls }) {
  const tried = urls.map(cameraOfUrl);
  if (names.length === 0 && urls.length > 0) return tried;
  try {
    const answer = await fetch('cameras', { cache: 'no-cache' });
    if (!answer.ok) return undefined;
    /** @type {{ cameras: Named[] }} */
    const { cameras } = await answer.json();
    const chosen = cameras.filter(({ name }) => names.length === 0 || names.includes(name));
    return [...chosen.map(cameraOfName), ...tried];
  } catch {
    return undefined;
  }
}

/** @typedef {import('./link.js').News & { name: string, title: string, intervalMs: number }} Named */

/** @returns {Camera} */
function cameraOfName(/** @type {Named} */ state) {
  const { name, title, intervalMs } = state;
  const encoded = encodeURIComponent(name);
  const imageUrl = `cameras/${encoded}`;
  return { key: name, title, imageUrl, topic: `camera=${encoded}`, intervalMs, state };
}

/** @returns {Camera} */
function cameraOfUrl(/** @type {string} */ url) {
  const encoded = encodeURIComponent(url);
  const title = url.replace(/^https?:\/\//, '');
  return { key: url, title, imageUrl: `images?url=${encoded}`, topic: `url=${encoded}` };
}

/**
 * Why a camera without a name may not be shown here; undefined where that is not the matter.
 * @param {Camera} camera
 * @returns {Promise<string | undefined>}
 */
export async function refusalOf({ topic, imageUrl }) {
  if (!topic.startsWith('url=')) return undefined;
  try {
    const answer = await fetch(imageUrl, { headers: { Prefer: 'respond-async' } });
    return answer.status >= 400 && answer.status < 500 ? await wordsOf(answer) : undefined;
  } catch {
    return undefined;
  }
}
