// @ts-check

import { problemWords } from './words.js';

/** How long a process that does not have the new frame yet may wait for it. */
const WAIT_S = 2;
const REQUEST_MS = 20_000;
const RETRY_MS = { least: 500, most: 10_000 };
/** Enough to distinguish an older frame from one that arrives before its announcement. */
const REMEMBERED = 8;

/**
 * @typedef {object} Shown
 * @property {string} etag
 * @property {string} url a blob URL of the bytes
 * @property {HTMLImageElement} image decoded
 *
 * @typedef {object} Picture
 * @property {(etag: string, changedAt?: string) => void} want the frame that was announced
 * @property {(visible: boolean) => void} setVisible a hidden picture fetches nothing
 * @property {() => void} close
 */

/**
 * Fetches the announced frames of one camera, from any process, and passes each on once it is
 * decoded. Frames that are announced during a request only replace the wanted one.
 * @param {object} options
 * @param {string} options.url
 * @param {(shown: Shown) => void} options.onShown
 * @param {(words: string | undefined) => void} options.onTrouble undefined when it is over
 * @returns {Picture}
 */
export function createPicture({ url, onShown, onTrouble }) {
  /** @type {string[]} */
  const announced = [];
  /** When the wanted frame's bytes changed, in whole seconds like HTTP dates. */
  let changedS = 0;
  /** @type {Shown | undefined} */
  let shown;
  let visible = false;
  let isFetching = false;
  /** Ends a pause. */
  let wake = () => {};
  const closed = new AbortController();

  const wanted = () => announced.at(-1);
  // A process without recent requests may serve an old frame from memory.
  const isOld = (/** @type {FetchedFrame} */ { etag, modifiedMs }) =>
    etag !== wanted() && (announced.includes(etag) || modifiedMs / 1000 < changedS);

  const fetchFrames = async () => {
    if (isFetching) return;
    isFetching = true;
    /** @type {string[]} */
    let knownEtags = shown ? [shown.etag] : [];
    let failures = 0;
    while (visible && wanted() !== shown?.etag && !closed.signal.aborted) {
      const outcome = await requestFrame(url, knownEtags, closed.signal);
      if (closed.signal.aborted) break;
      if (outcome.kind === 'frame') {
        failures = 0;
        const old = isOld(outcome);
        // With that ETag sent too, a process that is behind waits for the next frame.
        knownEtags = old ? [...knownEtags.slice(-REMEMBERED), outcome.etag] : [outcome.etag];
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
    isFetching = false;
  };

  const show = async (/** @type {FetchedFrame} */ { etag, blob }) => {
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
      onTrouble('This browser cannot show this picture');
    }
    shown = next;
    // It may have arrived before its announcement.
    if (!announced.includes(etag)) remember(announced, etag);
    if (before) URL.revokeObjectURL(before.url);
  };

  return {
    want: (etag, changedAt = '') => {
      remember(announced, etag);
      changedS = Math.floor((Date.parse(changedAt) || 0) / 1000);
      wake();
      void fetchFrames();
    },
    setVisible: (isVisible) => {
      visible = isVisible;
      wake();
      if (wanted() !== undefined) void fetchFrames();
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
 * @typedef {{ kind: 'frame', etag: string, modifiedMs: number, blob: Blob }} FetchedFrame
 * @typedef {FetchedFrame | { kind: 'same' } | { kind: 'trouble', words: string }} Outcome
 */

/**
 * @param {string} url
 * @param {readonly string[]} knownEtags of frames that are no longer needed
 * @param {AbortSignal} signal
 * @returns {Promise<Outcome>}
 */
async function requestFrame(url, knownEtags, signal) {
  const headers =
    knownEtags.length > 0
      ? { 'If-None-Match': knownEtags.join(', '), Prefer: `wait=${WAIT_S}` }
      : { Prefer: 'respond-async' };
  try {
    const response = await fetch(url, {
      headers,
      cache: 'no-cache',
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]),
    });
    if (response.status === 304) return { kind: 'same' };
    if (!response.ok) return { kind: 'trouble', words: await wordsOf(response) };
    const etag = response.headers.get('etag') ?? '';
    const modifiedMs = Date.parse(response.headers.get('last-modified') ?? '');
    return { kind: 'frame', etag, modifiedMs, blob: await response.blob() };
  } catch {
    return { kind: 'trouble', words: 'The picture could not be fetched' };
  }
}

/**
 * @param {Response} response
 * @returns {Promise<string>}
 */
export async function wordsOf(response) {
  const problem = await response.json().catch(() => ({}));
  return problemWords(response.status, String(problem.detail ?? `status ${response.status}`));
}
