// @ts-check

import { showHealth } from './health.js';
import { durationWords, everyWords, sizeWords } from './words.js';

/** @typedef {import('./tile.js').Tile} Tile */

/**
 * Creates the dialog that shows one camera large. Escape closes it and returns the focus to the
 * tile; the arrow keys switch to the neighbours.
 * @param {HTMLDialogElement} dialog
 * @param {() => readonly Tile[]} tiles
 */
export function createEnlarged(dialog, tiles) {
  const part = (/** @type {string} */ selector) =>
    /** @type {HTMLElement} */ (dialog.querySelector(selector));
  const stage = part('.stage');
  const title = part('h2');
  const link = /** @type {HTMLAnchorElement} */ (part('.open'));
  /** @type {Tile | undefined} */
  let current;

  const render = () => {
    if (!current) return;
    const { camera, shown, news } = current;
    const reason = current.reason() ?? '';
    title.textContent = camera.title;
    link.href = camera.imageUrl;
    showHealth(part('.health'), current.health());
    dialog.dataset.health = current.health();
    part('.reason').textContent = reason;
    void showIn(stage, shown, `Last picture of ${camera.title}`);
    part('.facts').textContent = [
      ...factsOf(current),
      ...(news?.width && news.height ? [`${news.width} × ${news.height}`] : []),
      ...(news?.sizeBytes ? [sizeWords(news.sizeBytes)] : []),
      ...(camera.intervalMs ? [everyWords(camera.intervalMs, camera.maxIntervalMs)] : []),
    ].join(' · ');
  };

  const show = (/** @type {Tile} */ tile) => {
    current?.setVisible(isOnScreen(current));
    current = tile;
    tile.setVisible(true);
    tile.button.scrollIntoView({ block: 'nearest' });
    render();
    if (!dialog.open) dialog.showModal();
  };
  const step = (/** @type {number} */ by) => {
    const all = tiles();
    const at = current ? all.indexOf(current) : -1;
    const next = all[(at + by + all.length) % all.length];
    if (next) show(next);
  };

  part('.previous').addEventListener('click', () => step(-1));
  part('.next').addEventListener('click', () => step(1));
  part('.close').addEventListener('click', () => dialog.close());
  stage.addEventListener('click', () => dialog.close());
  dialog.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (by === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    step(by);
  });
  dialog.addEventListener('close', () => {
    const last = current;
    current = undefined;
    stage.replaceChildren();
    stage.dataset.wanted = '';
    // The camera that was shown last, not the one that was opened first.
    last?.button.focus();
  });

  return {
    show,
    /** @param {Tile} tile */
    onChange: (tile) => tile === current && render(),
    tick: render,
  };
}

/**
 * Shows the picture once it is decoded, so that there is no blank in between.
 * @param {HTMLElement} stage
 * @param {import('./picture.js').Shown | undefined} shown
 * @param {string} alt
 */
async function showIn(stage, shown, alt) {
  const wanted = shown ? `${alt} ${shown.etag}` : '';
  if (stage.dataset.wanted === wanted) return;
  const isOther = !stage.dataset.wanted?.startsWith(`${alt} `);
  stage.dataset.wanted = wanted;
  if (isOther || !shown) stage.replaceChildren();
  if (!shown) {
    stage.textContent = 'No picture yet';
    return;
  }
  const image = new Image();
  image.alt = alt;
  image.dataset.etag = shown.etag;
  image.src = shown.url;
  // Fails if a newer picture has replaced it; the tile shows any other error.
  await image.decode().catch(() => {});
  if (stage.dataset.wanted === wanted && image.naturalWidth > 0) stage.replaceChildren(image);
}

/** @returns {string[]} */
function factsOf(/** @type {Tile} */ tile) {
  const ageMs = tile.ageMs();
  const healthForMs = tile.health() === 'unknown' ? undefined : tile.healthForMs();
  return [
    ...(healthForMs === undefined ? [] : [`for ${durationWords(healthForMs)}`]),
    ...(ageMs === undefined ? [] : [`picture ${durationWords(ageMs)} old`]),
  ];
}

function isOnScreen(/** @type {Tile} */ { element }) {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < window.innerHeight;
}
