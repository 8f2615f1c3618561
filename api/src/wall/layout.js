// @ts-check

const RATIO = 16 / 9;
/** Narrower tiles show too little, so the wall scrolls instead. */
const LEAST_WIDTH_PX = 250;
const COMFORTABLE_WIDTH_PX = 300;

/**
 * @typedef {object} Room
 * @property {number} count of tiles
 * @property {number} widthPx
 * @property {number} heightPx
 * @property {number} gapPx
 * @property {number} [columns] chosen by the viewer
 *
 * @typedef {object} Layout
 * @property {number} columns
 * @property {number} tilePx width of a tile
 * @property {number} textPx font size under a picture
 * @property {boolean} fits without scrolling
 */

/** Height of the caption, as in wall.css. */
const CAPTION_EM = 2.6;

const textFor = (/** @type {number} */ tilePx) => Math.min(36, Math.max(13.5, tilePx * 0.036));

/**
 * Returns the largest tiles that all fit on the screen, or comfortable ones that scroll.
 * @param {Room} room
 * @returns {Layout}
 */
export function layoutFor(room) {
  if (room.columns) return wide(room, room.columns);
  let best = fitting(room, 1);
  for (let columns = 2; columns <= room.count; columns += 1) {
    const layout = fitting(room, columns);
    if (layout.tilePx > best.tilePx) best = layout;
  }
  if (best.tilePx >= LEAST_WIDTH_PX) return best;
  const { widthPx, gapPx } = room;
  return wide(room, Math.max(1, Math.floor((widthPx + gapPx) / (COMFORTABLE_WIDTH_PX + gapPx))));
}

/**
 * Makes tiles as wide as the room allows, whatever their height.
 * @param {Room} room
 * @param {number} columns
 * @returns {Layout}
 */
function wide({ widthPx, gapPx }, columns) {
  const tilePx = (widthPx - gapPx * (columns - 1)) / columns;
  return { columns, tilePx, textPx: textFor(tilePx), fits: false };
}

/**
 * Makes tiles as large as the room allows in both directions.
 * @param {Room} room
 * @param {number} columns
 * @returns {Layout}
 */
function fitting(room, columns) {
  const rows = Math.ceil(room.count / columns);
  const rowPx = (room.heightPx - room.gapPx * (rows - 1)) / rows;
  const guessPx = rowPx / (1 / RATIO + CAPTION_EM * 0.036);
  const highPx = (rowPx - CAPTION_EM * textFor(guessPx)) * RATIO;
  const tilePx = Math.floor(Math.min(wide(room, columns).tilePx, highPx));
  return { columns, tilePx, textPx: textFor(tilePx), fits: true };
}

/**
 * Keeps the wall laid out as the window and the number of tiles change.
 * @param {HTMLElement} wall
 * @param {number | undefined} columns chosen by the viewer
 */
export function keepLaidOut(wall, columns) {
  const layOut = () => {
    const { paddingTop, paddingBottom, columnGap } = getComputedStyle(wall);
    const padding = Number.parseFloat(paddingTop) + Number.parseFloat(paddingBottom);
    const room = {
      count: wall.childElementCount,
      widthPx: wall.clientWidth - padding,
      heightPx: window.innerHeight - wall.offsetTop - padding,
      gapPx: Number.parseFloat(columnGap) || 0,
      ...(columns && { columns }),
    };
    const layout = layoutFor(room);
    wall.style.setProperty('--columns', String(layout.columns));
    wall.style.setProperty('--tile', `${layout.tilePx}px`);
    wall.style.setProperty('--text', `${layout.textPx}px`);
    wall.classList.toggle('fits', layout.fits);
  };
  const observer = new ResizeObserver(layOut);
  observer.observe(document.body);
  new MutationObserver(layOut).observe(wall, { childList: true });
  window.addEventListener('resize', layOut);
  layOut();
}
