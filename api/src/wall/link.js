// @ts-check

const KINDS = /** @type {const} */ (['frame', 'unchanged', 'failure', 'health']);
/** Longer than two heartbeats, which a page cannot see. After that, the link reconnects. */
const SILENT_MS = 40_000;
const OPEN_WITHIN_MS = 10_000;
const RETRY_MS = { least: 1000, most: 15_000 };

/**
 * @typedef {(typeof KINDS)[number]} Kind
 * @typedef {'open' | 'lost'} LinkState
 *
 * An update from the API about one camera.
 * @typedef {object} News
 * @property {string} [camera]
 * @property {string} [url]
 * @property {string} [etag]
 * @property {string} [capturedAt]
 * @property {string} [changedAt]
 * @property {number} [ageMs]
 * @property {import('./words.js').Health} health
 * @property {string} [healthSince]
 * @property {string} [reason]
 * @property {number} [sizeBytes]
 * @property {number} [width]
 * @property {number} [height]
 *
 * @typedef {object} Link
 * @property {() => void} open
 * @property {() => void} close
 */

/**
 * Creates one connection for the updates of all cameras, retried forever. The browser itself
 * reconnects when a process goes away, but gives up on a response that is not a stream. If that is
 * explained, for instance by a rejected camera, the link retries at once.
 * @param {object} options
 * @param {() => string | undefined} options.target returns undefined when there is nothing to watch
 * @param {(news: News) => void} options.onNews
 * @param {(state: LinkState) => void} options.onState
 * @param {() => Promise<boolean>} options.isExplained returns whether another target will work
 * @returns {Link}
 */
export function createLink({ target, onNews, onState, isExplained }) {
  /** @type {EventSource | undefined} */
  let source;
  let refusals = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const later = (/** @type {number} */ ms, /** @type {() => void} */ then) => {
    clearTimeout(timer);
    timer = setTimeout(then, ms);
  };
  const reconnect = () => {
    onState('lost');
    open();
  };

  const open = () => {
    close();
    const url = target();
    if (url === undefined) return onState('open');
    const opened = new EventSource(url);
    source = opened;
    later(OPEN_WITHIN_MS, reconnect);
    opened.onopen = () => {
      refusals = 0;
      onState('open');
      later(SILENT_MS, open);
    };
    for (const kind of KINDS) {
      opened.addEventListener(kind, (event) => {
        later(SILENT_MS, open);
        onNews(JSON.parse(event.data));
      });
    }
    opened.onerror = () => {
      if (opened.readyState === EventSource.CLOSED) return void retry(opened);
      onState('lost');
      later(OPEN_WITHIN_MS, reconnect);
    };
  };

  const retry = async (/** @type {EventSource} */ refused) => {
    clearTimeout(timer);
    const explained = await isExplained();
    if (source !== refused) return;
    if (explained) return open();
    onState('lost');
    const waitMs = Math.min(RETRY_MS.most, RETRY_MS.least * 2 ** refusals);
    refusals += 1;
    // Spread out, as all walls lost the same process at the same time.
    later(waitMs * (0.5 + Math.random()), open);
  };

  const close = () => {
    clearTimeout(timer);
    source?.close();
    source = undefined;
  };
  return { open, close };
}
