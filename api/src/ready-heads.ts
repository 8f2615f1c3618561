import { STATUS_CODES } from 'node:http';
import type { Clock } from '@lastframe/shared/clock';
import { frameResponse } from './frame-response.ts';
import type { HeldFrame } from './memory-cache.ts';

/** The heads of a frame's answers as they go over the wire, made once and good for up to a second. */
export interface ReadyHead {
  status: 200 | 304;
  text: string;
}

export interface ReadyHeads {
  /** @param isNotModified the viewer has this frame already */
  of(held: HeldFrame, nowMonoMs: number, isNotModified: boolean): ReadyHead;
}

export interface ReadyHeadsDeps {
  clock: Pick<Clock, 'monoMs' | 'wallMs'>;
  /** Adds what all answers have in common. */
  finish(headers: Headers): void;
  keepAliveMs: number;
}

interface Made {
  untilMonoMs: number;
  /** Of the frame when it was made: the same bytes may be captured again, under other rules. */
  capturedMonoMs: number;
  camera: HeldFrame['camera'];
  whole: ReadyHead | undefined;
  notModified: ReadyHead | undefined;
}

const PLAIN = { ifModifiedSince: undefined, range: undefined, ifRange: undefined, instance: '' };

export function createReadyHeads(deps: ReadyHeadsDeps): ReadyHeads {
  const all = new WeakMap<HeldFrame, Made>();
  const make = (held: HeldFrame, isNotModified: boolean): ReadyHead => {
    const ifNoneMatch = isNotModified ? held.etag : undefined;
    const response = frameResponse(held, 'memory', deps.clock, { ...PLAIN, ifNoneMatch });
    deps.finish(response.headers);
    const status = response.status as ReadyHead['status'];
    return { status, text: headText(status, response.headers, deps) };
  };
  return {
    of: (held, nowMonoMs, isNotModified) => {
      let made = all.get(held);
      if (!made || !isGood(made, held, nowMonoMs)) {
        made = newMade(held, nowMonoMs, deps.clock.wallMs());
        all.set(held, made);
      }
      if (isNotModified) {
        made.notModified ??= make(held, true);
        return made.notModified;
      }
      made.whole ??= make(held, false);
      return made.whole;
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
function newMade(held: HeldFrame, nowMonoMs: number, nowMs: number): Made {
  const { capturedMonoMs, camera } = held;
  const ageMs = Math.max(0, nowMonoMs - capturedMonoMs);
  const untilMonoMs = nowMonoMs + 1000 - Math.max(ageMs % 1000, nowMs % 1000);
  return { untilMonoMs, capturedMonoMs, camera, whole: undefined, notModified: undefined };
}

/** As Node's own server writes it. */
function headText(status: number, headers: Headers, { clock, keepAliveMs }: ReadyHeadsDeps) {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  lines.push(`Date: ${new Date(clock.wallMs()).toUTCString()}`, 'Connection: keep-alive');
  lines.push(`Keep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}`, '', '');
  return lines.join('\r\n');
}
