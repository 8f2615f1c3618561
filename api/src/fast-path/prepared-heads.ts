import { STATUS_CODES } from 'node:http';
import type { Clock } from '@lastframe/shared/process/clock';
import { frameResponse } from '../answer/frame-response.ts';
import type { HeldFrame } from '../cache/held-frame.ts';
import { SMALL_BYTES } from '../cache/memory-cache.ts';

/** The head of an answer, made once and good for up to a second. */
export interface PreparedHead {
  status: number;
  /** Names and values by turns, as Node takes them; without those that it adds itself. */
  headers: readonly string[];
  /** The whole head as Node's own server would write it, in latin1. */
  text: string;
  /** Of a small frame: the head with the frame behind it, for one write is cheaper than two. */
  withBody?: Buffer;
}

/** The heads of the answers that a frame from memory gives. */
export interface PreparedHeads {
  /** @param hasIt the viewer has this frame already, so it is a 304 */
  of(held: HeldFrame, hasIt: boolean): PreparedHead;
}

export interface ReadyHeadsDeps {
  clock: Pick<Clock, 'monoMs' | 'wallMs'>;
  /** Adds what all answers have in common. */
  addCommonHeaders(headers: Headers): void;
  keepAliveMs: number;
}

interface Made {
  untilMonoMs: number;
  /** The same bytes may be captured again, or be served under other rules. */
  capturedMonoMs: number;
  camera: HeldFrame['camera'];
  heads: { whole?: PreparedHead; notModified?: PreparedHead };
}

export function createReadyHeads(deps: ReadyHeadsDeps): PreparedHeads {
  const all = new WeakMap<HeldFrame, Made>();
  const madeFor = (held: HeldFrame): Made => {
    const nowMonoMs = deps.clock.monoMs();
    const made = all.get(held);
    if (made && isGood(made, held, nowMonoMs)) return made;
    const { capturedMonoMs, camera } = held;
    const untilMonoMs = goodUntil(held, nowMonoMs, deps.clock.wallMs());
    const anew = { untilMonoMs, capturedMonoMs, camera, heads: {} };
    all.set(held, anew);
    return anew;
  };
  return {
    of: (held, hasIt) => {
      const { heads } = madeFor(held);
      if (hasIt) {
        heads.notModified ??= makeHead(held, held.etag, deps);
        return heads.notModified;
      }
      heads.whole ??= withSmallBody(makeHead(held, undefined, deps), held);
      return heads.whole;
    },
  };
}

function isGood(made: Made, held: HeldFrame, nowMonoMs: number): boolean {
  return (
    nowMonoMs < made.untilMonoMs &&
    made.capturedMonoMs === held.capturedMonoMs &&
    made.camera === held.camera
  );
}

/** Until `Date` or `Age` is another one. */
function goodUntil({ capturedMonoMs }: HeldFrame, nowMonoMs: number, wallMs: number): number {
  const ageMs = Math.max(0, nowMonoMs - capturedMonoMs);
  return nowMonoMs + 1000 - Math.max(ageMs % 1000, wallMs % 1000);
}

function withSmallBody(head: PreparedHead, { bytes }: HeldFrame): PreparedHead {
  if (bytes.length > SMALL_BYTES) return head;
  return { ...head, withBody: Buffer.concat([Buffer.from(head.text, 'latin1'), bytes]) };
}

/** What the routes would answer, as it goes over the wire. */
function makeHead(
  held: HeldFrame,
  ifNoneMatch: string | undefined,
  deps: ReadyHeadsDeps,
): PreparedHead {
  const others = { ifModifiedSince: undefined, range: undefined, ifRange: undefined, instance: '' };
  const response = frameResponse(held, 'memory', deps.clock, { ifNoneMatch, ...others });
  deps.addCommonHeaders(response.headers);
  const { status } = response;
  const entries = [...response.headers];
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...entries.map(([name, value]) => `${name}: ${value}`),
    `Date: ${new Date(deps.clock.wallMs()).toUTCString()}`,
    'Connection: keep-alive',
    `Keep-Alive: timeout=${Math.floor(deps.keepAliveMs / 1000)}`,
  ];
  return { status, headers: entries.flat(), text: `${lines.join('\r\n')}\r\n\r\n` };
}
