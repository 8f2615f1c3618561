// @ts-check

import { showHealth } from './health.js';
import { createPicture } from './picture.js';
import { asSentence, durationWords } from './words.js';

/**
 * @typedef {import('./cameras.js').Camera} Camera
 * @typedef {import('./words.js').Health} Health
 * @typedef {import('./link.js').News} News
 * @typedef {import('./picture.js').Shown} Shown
 *
 * One camera on the wall.
 * @typedef {object} Tile
 * @property {Camera} camera
 * @property {HTMLElement} element
 * @property {HTMLButtonElement} button
 * @property {News | undefined} news the latest
 * @property {Shown | undefined} shown
 * @property {string | undefined} refusal why it cannot be shown at all
 * @property {() => Health} health
 * @property {() => string | undefined} reason
 * @property {() => number | undefined} ageMs of the picture that is shown
 * @property {() => number | undefined} healthForMs
 * @property {(news: News) => void} hear
 * @property {(words: string) => void} refuse
 * @property {(isLost: boolean) => void} setLost
 * @property {(visible: boolean) => void} setVisible
 * @property {() => void} tick
 * @property {() => void} close
 */

/**
 * @param {HTMLTemplateElement} template
 * @param {Camera} camera
 * @param {{ onOpen: (tile: Tile) => void, onChange: (tile: Tile) => void }} on
 * @returns {Tile}
 */
export function createTile(template, camera, { onOpen, onChange }) {
  const parts = partsOf(template);
  /** Capture times of the shown and the latest frame, on this page's own steady clock. */
  let shownCapturedMs = /** @type {number | undefined} */ (undefined);
  let newsCapturedMs = /** @type {number | undefined} */ (undefined);
  let healthSinceMs = /** @type {number | undefined} */ (undefined);
  let changedMs = /** @type {number | undefined} */ (undefined);
  let trouble = /** @type {string | undefined} */ (undefined);
  let isLost = false;

  const picture = createPicture({
    url: camera.imageUrl,
    onShown: (shown) => {
      tile.shown = shown;
      shownCapturedMs = newsCapturedMs;
      shown.image.alt = `Last picture of ${camera.title}`;
      shown.image.draggable = false;
      shown.image.dataset.etag = shown.etag;
      parts.picture.replaceChildren(shown.image);
      render();
    },
    onTrouble: (words) => {
      trouble = words;
      render();
    },
  });

  const render = () => {
    const health = tile.health();
    const reason = tile.reason();
    parts.element.dataset.health = health;
    showHealth(parts.health, health);
    parts.reason.textContent = reason ?? '';
    parts.reason.hidden = !reason;
    tile.tick();
    onChange(tile);
  };

  /** @type {Tile} */
  const tile = {
    camera,
    element: parts.element,
    button: parts.button,
    news: undefined,
    shown: undefined,
    refusal: undefined,
    health: () => {
      if (tile.refusal) return 'failing';
      return isLost || !tile.news ? 'unknown' : tile.news.health;
    },
    reason: () => {
      const failure = tile.news?.health === 'failing' ? tile.news.reason : undefined;
      return asSentence(tile.refusal ?? failure ?? trouble);
    },
    ageMs: () => {
      const capturedMs = shownCapturedMs ?? newsCapturedMs;
      return capturedMs === undefined ? undefined : performance.now() - capturedMs;
    },
    healthForMs: () =>
      healthSinceMs === undefined ? undefined : performance.now() - healthSinceMs,
    hear: (news) => {
      const nowMs = performance.now();
      tile.news = news;
      tile.refusal = undefined;
      isLost = false;
      if (news.ageMs !== undefined) newsCapturedMs = nowMs - news.ageMs;
      healthSinceMs = onSteadyClock(news.healthSince, news, nowMs);
      changedMs = onSteadyClock(news.changedAt, news, nowMs);
      if (news.etag !== undefined) {
        if (news.etag === tile.shown?.etag) shownCapturedMs = newsCapturedMs;
        picture.want(news.etag, news.changedAt);
      }
      render();
    },
    refuse: (words) => {
      tile.refusal = words;
      render();
    },
    setLost: (lost) => {
      isLost = lost;
      render();
    },
    setVisible: picture.setVisible,
    tick: () => {
      const ageMs = tile.ageMs();
      // A frozen picture is still fetched; what matters is how long it has been the same.
      const sameMs = tile.health() === 'frozen' ? changedMs : undefined;
      if (sameMs !== undefined) {
        parts.age.textContent = `same for ${durationWords(performance.now() - sameMs)}`;
      } else {
        parts.age.textContent = ageMs === undefined ? '' : `${durationWords(ageMs)} ago`;
      }
    },
    close: () => {
      picture.close();
      parts.element.remove();
    },
  };
  parts.button.textContent = camera.title;
  parts.button.addEventListener('click', () => onOpen(tile));
  render();
  return tile;
}

/**
 * Converts a time on the fleet's clock to this page's own; undefined if the update does not allow
 * the two to be compared.
 * @param {string | undefined} time
 * @param {News} news
 * @param {number} nowMs
 */
function onSteadyClock(time, { capturedAt, ageMs }, nowMs) {
  if (!time || !capturedAt || ageMs === undefined) return undefined;
  const fleetNowMs = Date.parse(capturedAt) + ageMs;
  return nowMs - Math.max(0, fleetNowMs - Date.parse(time));
}

function partsOf(/** @type {HTMLTemplateElement} */ template) {
  const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  const part = (/** @type {string} */ selector) => {
    const found = copy.querySelector(selector);
    if (!(found instanceof HTMLElement)) throw new Error(`the page lacks ${selector}`);
    return found;
  };
  return {
    element: part('.tile'),
    picture: part('.picture'),
    reason: part('.reason'),
    health: part('.health'),
    age: part('.age'),
    button: /** @type {HTMLButtonElement} */ (part('button')),
  };
}
