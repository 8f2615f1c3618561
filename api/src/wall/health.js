// @ts-check

import { HEALTH_WORDS } from './words.js';

/** @typedef {import('./words.js').Health} Health */

/** @param {string} name of a symbol in the page */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#icon-${name}`);
  svg.append(use);
  return svg;
}

/**
 * Shows a health as icon, word and colour, as colour alone is not accessible.
 * @param {Element | null} element
 * @param {Health} health
 */
export function showHealth(element, health) {
  if (!(element instanceof HTMLElement) || element.dataset.health === health) return;
  element.dataset.health = health;
  element.replaceChildren(icon(health), HEALTH_WORDS[health]);
}

/** @type {readonly Health[]} */
const ORDER = ['live', 'late', 'frozen', 'failing', 'idle', 'unknown'];

/**
 * Shows the number of cameras of each health in the page header.
 * @param {HTMLElement} list
 * @param {readonly Health[]} healths
 */
export function showSummary(list, healths) {
  const items = ORDER.flatMap((health) => {
    const count = healths.filter((one) => one === health).length;
    if (count === 0) return [];
    const item = document.createElement('li');
    item.dataset.health = health;
    item.append(icon(health), `${count} ${HEALTH_WORDS[health].toLowerCase()}`);
    return [item];
  });
  const text = items.map((item) => item.textContent).join();
  if (list.dataset.text === text) return;
  list.dataset.text = text;
  list.replaceChildren(...items);
}
