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

/** The page disconnects after it has been hidden for this long. */
const HIDDEN_FOR_MS = 10_000;
const LIST_AGAIN_MS = 3000;
/** A wall may run for months, while the operator adds cameras. */
const LIST_EVERY_MS = 60_000;
/** The replacement of a process is not reported: its viewers have reconnected by then. */
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
let hiddenTimer;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let lostTimer;

const spoken = createSpoken(byId('spoken', HTMLElement));
const enlarged = createEnlarged(byId('enlarged', HTMLDialogElement), () => [...tiles.values()]);
const link = createLinks({ topics, onNews: onUpdate, onState, isExplained });
const onScreen = new IntersectionObserver(onIntersection, { rootMargin: '25% 0px' });

document.addEventListener('visibilitychange', onVisibility);
window.addEventListener('pageshow', ({ persisted }) => persisted && link.open());
keepLaidOut(wall, choice.columns);
walkByArrows(wall);
setInterval(tick, 1000);
setInterval(() => document.hidden || void refreshList(), LIST_EVERY_MS);
onVisibility(); // a tab opened in the background fires no event
await start();

async function start() {
  while ((await loadList()) === undefined) {
    setLost(true);
    await new Promise((resolve) => setTimeout(resolve, LIST_AGAIN_MS));
  }
  setLost(false);
  if (!isResting) link.open();
}

/** The list may have changed without an event. */
async function refreshList() {
  if ((await loadList()) && !isResting) link.open();
}

/** Updates the tiles from the list; returns whether they changed, undefined without a list. */
async function loadList() {
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
      `No camera is named ${choice.names.join(' or ')}`;
  }
  return changed;
}

function topics() {
  const all = [...tiles.values()].filter(({ refusal }) => !refusal);
  return all.map(({ camera }) => camera.topic);
}

/** @param {import('./link.js').News} news */
function onUpdate(news) {
  tiles.get(news.camera ?? news.url ?? '')?.hear(news);
}

/** One rejected camera must not keep the others off the wall. */
async function isExplained() {
  const changed = await loadList();
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
    lostTimer ??= setTimeout(() => setLost(true), LOST_AFTER_MS);
    return;
  }
  clearTimeout(lostTimer);
  lostTimer = undefined;
  if (isLost) void refreshList();
  setLost(false);
}

/** @param {boolean} lost */
function setLost(lost) {
  if (lost === isLost) return;
  isLost = lost;
  lostBanner.hidden = !lost;
  document.body.classList.toggle('is-lost', lost);
  spoken.say(lost ? 'Connection lost; reconnecting.' : 'Reconnected.');
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
function onIntersection(entries) {
  for (const { target, isIntersecting } of entries) {
    const tile = [...tiles.values()].find(({ element }) => element === target);
    tile?.setVisible(isIntersecting && !document.hidden);
  }
}

/** A hidden tab fetches nothing, and soon disconnects. */
function onVisibility() {
  clearTimeout(hiddenTimer);
  if (document.hidden) {
    for (const tile of tiles.values()) tile.setVisible(false);
    hiddenTimer = setTimeout(disconnect, HIDDEN_FOR_MS);
    return;
  }
  // Observing a tile again reports whether it is on the screen.
  for (const { element } of tiles.values()) {
    onScreen.unobserve(element);
    onScreen.observe(element);
  }
  if (isResting) link.open();
  isResting = false;
}

function disconnect() {
  isResting = true;
  clearTimeout(lostTimer);
  lostTimer = undefined;
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
