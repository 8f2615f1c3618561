// @ts-check

import { problemWords } from './words.js';

/** How long a process that hasn't heard of the new frame yet may wait for it. */
const WAIT_S = 2;
const REQUEST_MS = 20_000;
const RETRY_MS = { least: 500, most: 10_000 };
/** Enough to tell an older frame from one that is newer than the news of it. */
const REMEMBERED = 8;

/**
 * @typedef {object} Shown
 * @property {string} etag
 * @property {string} url of the bytes, in this page
 * @property {HTMLImageElement} image decoded
 *
 * @typedef {object} Picture
 * @property {(etag: string, changedAt?: string) => void} want the frame that was announced
 * @property {(visible: boolean) => void} setVisible who isn't looked at doesn't fetch
 * @property {() => void} close
 */

/**
 * Brings the frames of one camera: asks for what was announced, on whatever process, and gives it
 * out once it is decoded. While a request is under way later frames just replace what is wanted.
 * @param {object} options
 * @param {string} options.url
 * @param {(shown: Shown) => void} options.onShown
 * @param {(words: string | undefined) => void} options.onTrouble undefined when it is over
 * @returns {Picture}
 */
export function createPicture({ url, onShown, onTrouble }) {
  /** @type {string[]} */
  const announced = [];
  /** When the wanted frame's bytes were new, to the second that HTTP dates have. */
  let changedS = 0;
  /** @type {Shown | undefined} */
  let shown;
  let visible = false;
  let busy = false;
  /** Ends a pause. */
  let wake = () => {};
  const closed = new AbortController();

  const wanted = () => announced.at(-1);
  // A process that nobody asked for long has an old frame in memory and serves it at once.
  const isOld = (/** @type {Brought} */ { etag, modifiedMs }) =>
    etag !== wanted() && (announced.includes(etag) || modifiedMs / 1000 < changedS);

  const bring = async () => {
    if (busy) return;
    busy = true;
    /** @type {string[]} */
    let had = shown ? [shown.etag] : [];
    let failures = 0;
    while (visible && wanted() !== shown?.etag && !closed.signal.aborted) {
      const outcome = await ask(url, had, closed.signal);
      if (closed.signal.aborted) break;
      if (outcome.kind === 'frame') {
        failures = 0;
        const old = isOld(outcome);
        // Asked once more, with that one named too, a process that is behind waits for the next.
        had = old ? [...had.slice(-REMEMBERED), outcome.etag] : [outcome.etag];
        if (!old) await show(outcome);
        continue;
      }
      if (outcome.kind === 'trouble') onTrouble(outcome.words);
      const pauseMs = Math.min(RETRY_MS.most, RETRY_MS.least * 2 ** failures);
      failures += 1;
      await new Promise((resolve) => {
        wake = () => resolve(undefined);
        setTimeout(resolve, pauseMs);
      });
    }
    busy = false;
  };

  const show = async (/** @type {Brought} */ { etag, blob }) => {
    const image = new Image();
    const next = { etag, image, url: URL.createObjectURL(blob) };
    image.src = next.url;
    const before = shown;
    try {
      await image.decode();
      if (closed.signal.aborted) return URL.revokeObjectURL(next.url);
      onTrouble(undefined);
      onShown(next);
    } catch {
      onTrouble('This browser can not show this picture');
    }
    shown = next;
    // Not known as announced where it came before its news.
    if (!announced.includes(etag)) remember(announced, etag);
    if (before) URL.revokeObjectURL(before.url);
  };

  return {
    want: (etag, changedAt = '') => {
      remember(announced, etag);
      changedS = Math.floor((Date.parse(changedAt) || 0) / 1000);
      wake();
      void bring();
    },
    setVisible: (isVisible) => {
      visible = isVisible;
      wake();
      if (wanted() !== undefined) void bring();
    },
    close: () => {
      closed.abort();
      wake();
      if (shown) URL.revokeObjectURL(shown.url);
    },
  };
}

/**
 * @param {string[]} etags
 * @param {string} etag becomes the last one
 */
function remember(etags, etag) {
  const at = etags.indexOf(etag);
  if (at >= 0) etags.splice(at, 1);
  etags.push(etag);
  etags.splice(0, etags.length - REMEMBERED);
}

/**
 * @typedef {{ kind: 'frame', etag: string, modifiedMs: number, blob: Blob }} Brought
 * @typedef {Brought | { kind: 'same' } | { kind: 'trouble', words: string }} Outcome
 */

/**
 * @param {string} url
 * @param {readonly string[]} had the ETags of frames that are of no use any more
 * @param {AbortSignal} signal
 * @returns {Promise<Outcome>}
 */
async function ask(url, had, signal) {
  const headers =
    had.length > 0
      ? { 'If-None-Match': had.join(', '), Prefer: `wait=${WAIT_S}` }
      : { Prefer: 'respond-async' };
  try {
    const answer = await fetch(url, {
      headers,
      cache: 'no-cache',
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]),
    });
    if (answer.status === 304) return { kind: 'same' };
    if (!answer.ok) return { kind: 'trouble', words: await wordsOf(answer) };
    const etag = answer.headers.get('etag') ?? '';
    const modifiedMs = Date.parse(answer.headers.get('last-modified') ?? '');
    return { kind: 'frame', etag, modifiedMs, blob: await answer.blob() };
  } catch {
    return { kind: 'trouble', words: 'The picture could not be fetched' };
  }
}

/**
 * @param {Response} answer
 * @returns {Promise<string>}
 */
export async function wordsOf(answer) {
  const problem = await answer.json().catch(() => ({}));
  return problemWords(answer.status, String(problem.detail ?? `status ${answer.status}`));
}
