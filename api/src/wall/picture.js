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
 * @property {(etag: string) => void} want the frame that was announced
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
  /** @type {Shown | undefined} */
  let shown;
  let visible = false;
  let busy = false;
  /** Ends a pause. */
  let wake = () => {};
  const closed = new AbortController();

  const wanted = () => announced.at(-1);
  const isOld = (/** @type {string} */ etag) => announced.includes(etag) && etag !== wanted();

  const bring = async () => {
    if (busy) return;
    busy = true;
    /** @type {string[]} */
    let had = shown ? [shown.etag] : [];
    for (let failures = 0; visible && wanted() !== shown?.etag && !closed.signal.aborted; ) {
      const outcome = await ask(url, had, closed.signal);
      if (closed.signal.aborted) break;
      if (outcome.kind === 'frame' && !isOld(outcome.etag)) {
        failures = 0;
        had = [outcome.etag];
        await show(outcome);
        continue;
      }
      // An older frame, of a process that is behind: from now on it waits for the next one.
      if (outcome.kind === 'frame') had = [...had, outcome.etag];
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

  const show = async (/** @type {{ etag: string, blob: Blob }} */ { etag, blob }) => {
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
    want: (etag) => {
      remember(announced, etag);
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
 * @typedef {{ kind: 'frame', etag: string, blob: Blob } | { kind: 'same' } | { kind: 'trouble', words: string }} Outcome
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
    return { kind: 'frame', etag: answer.headers.get('etag') ?? '', blob: await answer.blob() };
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
