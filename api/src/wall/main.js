// @ts-check

import { choiceIn, listCameras, refusalOf } from './cameras.js';
import { createEnlarged } from './enlarged.js';
import { showSummary } from './health.js';
import { keepLaidOut } from './layout.js';
import { createLinks } from './links.js';
import { createSpoken } from './spoken.js';
import { createTile } from './tile.js';
import { walkByArrows } from './walk.js';

/** @typedef {import('./tile.js').Tile} Tile */

/** A glance at another tab costs nothing; after that the cameras may rest. */
const HIDDEN_FOR_MS = 10_000;
const LIST_AGAIN_MS = 3000;
/** The operator names another camera while the wall hangs there for months. */
const LIST_EVERY_MS = 60_000;
/** A process that is replaced is no news: its viewers are with another by then. */
const LOST_AFTER_MS = 4000;

const wall = byId('wall', HTMLElement);
const template = byId('tile', HTMLTemplateElement);
const lostBanner = byId('lost', HTMLElement);
const choice = choiceIn(new URLSearchParams(location.search));

/** @type {Map<string, Tile>} */
const tiles = new Map();
let isLost = false;
let isResting = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let hiding;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let losing;

const spoken = createSpoken(byId('spoken', HTMLElement));
const enlarged = createEnlarged(byId('enlarged', HTMLDialogElement), () => [...tiles.values()]);
const link = createLinks({ topics, onNews: hear, onState, isExplained });
const onScreen = new IntersectionObserver(heedVisibility, { rootMargin: '25% 0px' });

document.addEventListener('visibilitychange', onVisibility);
window.addEventListener('pageshow', ({ persisted }) => persisted && link.open());
keepLaidOut(wall, choice.columns);
walkByArrows(wall);
setInterval(tick, 1000);
setInterval(() => document.hidden || void followList(), LIST_EVERY_MS);
onVisibility(); // a tab that is opened in the background gives no event
await begin();

async function begin() {
  while ((await takeList()) === undefined) {
    setLost(true);
    await new Promise((resolve) => setTimeout(resolve, LIST_AGAIN_MS));
  }
  setLost(false);
  if (!isResting) link.open();
}

/** The list may have changed while nobody could tell. */
async function followList() {
  if ((await takeList()) && !isResting) link.open();
}

/** Makes the tiles those of the list; gives whether that changed, undefined when nobody could be asked. */
async function takeList() {
  const cameras = await listCameras(choice);
  if (!cameras) return undefined;
  let changed = false;
  const keys = new Set(cameras.map(({ key }) => key));
  for (const [key, tile] of tiles) {
    if (keys.has(key)) continue;
    onScreen.unobserve(tile.element);
    tile.close();
    tiles.delete(key);
    changed = true;
  }
  for (const camera of cameras) {
    if (tiles.has(camera.key)) continue;
    const tile = createTile(template, camera, { onOpen: enlarged.show, onChange });
    tiles.set(camera.key, tile);
    wall.append(tile.element);
    onScreen.observe(tile.element);
    if (camera.state) tile.hear(camera.state);
    changed = true;
  }
  byId('empty', HTMLElement).hidden = cameras.length > 0;
  if (choice.names.length > 0) {
    byId('empty-title', HTMLElement).textContent =
      `No camera is called ${choice.names.join(' or ')}`;
  }
  return changed;
}

function topics() {
  const all = [...tiles.values()].filter(({ refusal }) => !refusal);
  return all.map(({ camera }) => camera.topic);
}

/** @param {import('./link.js').News} news */
function hear(news) {
  tiles.get(news.camera ?? news.url ?? '')?.hear(news);
}

/** One camera that is refused must not keep the others from the wall. */
async function isExplained() {
  const changed = await takeList();
  const refused = await Promise.all(
    [...tiles.values()].map(async ({ camera, refusal, refuse }) => {
      const words = refusal ? undefined : await refusalOf(camera);
      if (words) refuse(words);
      return words !== undefined;
    }),
  );
  return changed === true || refused.includes(true);
}

/** @param {import('./link.js').LinkState} state */
function onState(state) {
  if (state === 'lost') {
    losing ??= setTimeout(() => setLost(true), LOST_AFTER_MS);
    return;
  }
  clearTimeout(losing);
  losing = undefined;
  if (isLost) void followList();
  setLost(false);
}

/** @param {boolean} lost */
function setLost(lost) {
  if (lost === isLost) return;
  isLost = lost;
  lostBanner.hidden = !lost;
  document.body.classList.toggle('is-lost', lost);
  spoken.say(lost ? 'Connection lost; trying again.' : 'Connected again.');
  if (lost) for (const tile of tiles.values()) tile.setLost(true);
}

/** @param {Tile} tile */
function onChange(tile) {
  spoken.onChange(tile);
  enlarged.onChange(tile);
  const healths = [...tiles.values()].map(({ health }) => health());
  showSummary(byId('summary', HTMLElement), healths);
}

function tick() {
  if (document.hidden) return;
  for (const tile of tiles.values()) tile.tick();
  enlarged.tick();
}

/** @param {readonly IntersectionObserverEntry[]} entries */
function heedVisibility(entries) {
  for (const { target, isIntersecting } of entries) {
    const tile = [...tiles.values()].find(({ element }) => element === target);
    tile?.setVisible(isIntersecting && !document.hidden);
  }
}

/** Nobody looks at a hidden tab: it fetches nothing, and soon isn't a viewer any more. */
function onVisibility() {
  clearTimeout(hiding);
  if (document.hidden) {
    for (const tile of tiles.values()) tile.setVisible(false);
    hiding = setTimeout(rest, HIDDEN_FOR_MS);
    return;
  }
  // Observed anew, each tells whether it is on the screen.
  for (const { element } of tiles.values()) {
    onScreen.unobserve(element);
    onScreen.observe(element);
  }
  if (isResting) link.open();
  isResting = false;
}

function rest() {
  isResting = true;
  clearTimeout(losing);
  losing = undefined;
  link.close();
}

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page lacks #${id}`);
  return element;
}
