import { STATUS_CODES } from 'node:http';
import type { Clock } from '@lastframe/shared/process/clock';
import { frameResponse } from '../answer/frame-response.ts';
import type { HeldFrame } from '../cache/held-frame.ts';
import { SMALL_BYTES } from '../cache/memory-cache.ts';

/** The head of a response, made once and valid for up to a second. */
export interface PreparedHead {
  status: number;
  /** Alternating names and values, as Node takes them, without those that Node adds. */
  headers: readonly string[];
  /** The whole head as Node's own server would write it, in latin1. */
  text: string;
  /** For a small frame, the head and the frame: one write is cheaper than two. */
  withBody?: Buffer;
}

/** The heads of responses with a frame from memory. */
export interface PreparedHeads {
  /** @param hasIt the client already has this frame, so it gets a 304 */
  of(held: HeldFrame, hasIt: boolean): PreparedHead;
}

export interface PreparedHeadsDeps {
  clock: Pick<Clock, 'monoMs' | 'wallMs'>;
  /** Adds the headers of every response. */
  addCommonHeaders(headers: Headers): void;
  keepAliveMs: number;
}

interface FrameHeads {
  untilMonoMs: number;
  /** The same bytes may be captured again, or served under other rules. */
  capturedMonoMs: number;
  freshForMs: number | undefined;
  camera: HeldFrame['camera'];
  heads: { whole?: PreparedHead; notModified?: PreparedHead };
}

export function createPreparedHeads(deps: PreparedHeadsDeps): PreparedHeads {
  const headsByFrame = new WeakMap<HeldFrame, FrameHeads>();
  const headsFor = (held: HeldFrame): FrameHeads => {
    const nowMonoMs = deps.clock.monoMs();
    const cached = headsByFrame.get(held);
    if (cached && isValid(cached, held, nowMonoMs)) return cached;
    const { capturedMonoMs, freshForMs, camera } = held;
    const untilMonoMs = validUntil(held, nowMonoMs, deps.clock.wallMs());
    const newHeads = { untilMonoMs, capturedMonoMs, freshForMs, camera, heads: {} };
    headsByFrame.set(held, newHeads);
    return newHeads;
  };
  return {
    of: (held, hasIt) => {
      const { heads } = headsFor(held);
      if (hasIt) {
        heads.notModified ??= makeHead(held, held.etag, deps);
        return heads.notModified;
      }
      heads.whole ??= withSmallBody(makeHead(held, undefined, deps), held);
      return heads.whole;
    },
  };
}

function isValid(cached: FrameHeads, held: HeldFrame, nowMonoMs: number): boolean {
  return (
    nowMonoMs < cached.untilMonoMs &&
    cached.capturedMonoMs === held.capturedMonoMs &&
    cached.freshForMs === held.freshForMs &&
    cached.camera === held.camera
  );
}

/** Returns when `Date` or `Age` changes. */
function validUntil({ capturedMonoMs }: HeldFrame, nowMonoMs: number, wallMs: number): number {
  const ageMs = Math.max(0, nowMonoMs - capturedMonoMs);
  return nowMonoMs + 1000 - Math.max(ageMs % 1000, wallMs % 1000);
}

function withSmallBody(head: PreparedHead, { bytes }: HeldFrame): PreparedHead {
  if (bytes.length > SMALL_BYTES) return head;
  return { ...head, withBody: Buffer.concat([Buffer.from(head.text, 'latin1'), bytes]) };
}

/** Renders what the routes would respond, as it goes over the wire. */
function makeHead(
  held: HeldFrame,
  ifNoneMatch: string | undefined,
  deps: PreparedHeadsDeps,
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
