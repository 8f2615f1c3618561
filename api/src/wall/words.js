// @ts-check

/** @typedef {'idle' | 'live' | 'late' | 'failing' | 'frozen' | 'unknown'} Health */

/** @type {Record<Health, string>} */
export const HEALTH_WORDS = {
  live: 'Live',
  late: 'Late',
  frozen: 'Frozen',
  failing: 'Failing',
  idle: 'Idle',
  unknown: 'Not connected',
};

const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;

/**
 * Returns a duration in at most two units.
 * @param {number} ms
 */
export function durationWords(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < MINUTE_S) return `${s} s`;
  if (s < HOUR_S) return twoUnits(s, [MINUTE_S, 'min'], [1, 's']);
  if (s < DAY_S) return twoUnits(s, [HOUR_S, 'h'], [MINUTE_S, 'min']);
  return twoUnits(s, [DAY_S, 'd'], [HOUR_S, 'h']);
}

/**
 * Returns how often a camera is called.
 * @param {number} intervalMs
 * @param {number | undefined} maxIntervalMs if that depends on its picture
 */
export function everyWords(intervalMs, maxIntervalMs) {
  const every = `every ${durationWords(intervalMs)}`;
  return maxIntervalMs === undefined ? every : `${every} to ${durationWords(maxIntervalMs)}`;
}

/**
 * @param {number} s
 * @param {[number, string]} big
 * @param {[number, string]} small
 */
function twoUnits(s, [bigS, bigName], [smallS, smallName]) {
  const rest = Math.floor((s % bigS) / smallS);
  return `${Math.floor(s / bigS)} ${bigName}${rest > 0 ? ` ${rest} ${smallName}` : ''}`;
}

/** @param {number} bytes */
export function sizeWords(bytes) {
  return bytes < 1024 ** 2
    ? `${Math.max(1, Math.round(bytes / 1024))} KiB`
    : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

/**
 * Returns what a problem (RFC 9457) means to a viewer of the wall.
 * @param {number} status
 * @param {string} detail in the API's own words
 */
export function problemWords(status, detail) {
  if (status === 400 || status === 414) return `This is not the URL of a camera: ${detail}`;
  if (status === 403) return `This camera may not be shown here: ${detail}`;
  if (status === 404) return 'No camera has this name any more';
  if (status === 504) return `The camera takes too long to respond: ${detail}`;
  if (status === 502) return `The camera did not send a picture: ${detail}`;
  return `There is no picture yet: ${detail}`;
}

/**
 * Capitalises a reason from the API, which begins in lower case.
 * @param {string | undefined} words
 */
export function asSentence(words) {
  return words && words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * Returns a sentence for screen readers about cameras whose health has changed.
 * @param {readonly { title: string, health: Health, reason?: string | undefined }[]} changes
 */
export function changesSentence(changes) {
  if (changes.length > 3) {
    const titles = changes.slice(0, 3).map(({ title }) => title);
    return `${changes.length} cameras have changed, including ${titles.join(', ')}.`;
  }
  return changes
    .map(({ title, health, reason }) => {
      const word = HEALTH_WORDS[health].toLowerCase();
      return `${title} is ${word}${reason ? `: ${reason}` : ''}.`;
    })
    .join(' ');
}
