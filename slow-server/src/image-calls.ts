import { setTimeout as wait } from 'node:timers/promises';
import type { HttpBindings } from '@hono/node-server';
import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import { type Answer, textAnswer } from './answer.ts';
import { type Behaviour, mergeBehaviours, parseBehaviour } from './behaviour.ts';
import { answerTo } from './misbehaviour.ts';
import { drawPicture } from './picture.ts';
import type { Capture } from './stage.ts';

/** A call to a camera, as it came in. */
export interface ImageCall {
  name: string;
  /** Its number of all calls. */
  number: number;
  query: URLSearchParams;
  headers: HttpBindings['incoming']['headers'];
  /** Aborted when the caller leaves. */
  signal: AbortSignal;
}

export interface ImageCalls {
  /** The answer, when it is due. Rejects when the caller leaves before. */
  answer: (call: ImageCall) => Promise<Answer>;
  /** What all calls to a camera do from now on, until it is deleted. */
  behaviours: Map<string, Behaviour>;
  /** Lets a frozen camera go; if it freezes again, then at a new picture. */
  thaw: (name: string) => void;
}

/** A picture being drawn holds 3.7 MB of pixels: a thousand calls that are due at once take turns. */
const DRAWN_AT_ONCE = 4;
const CAMERAS_REMEMBERED = 100_000;

/** What the cameras remember from call to call, and how they answer. */
export function createImageCalls(delayMs: number): ImageCalls {
  const behaviours = new Map<string, Behaviour>();
  const counts = new LRUCache<string, number>({ max: CAMERAS_REMEMBERED });
  const frozen = new LRUCache<string, Capture>({ max: CAMERAS_REMEMBERED });
  const limit = pLimit(DRAWN_AT_ONCE);

  const answer = async (call: ImageCall): Promise<Answer> => {
    const { name, number, query, headers, signal } = call;
    const own = parseBehaviour(query);
    if (!own.ok) return textAnswer(400, own.faults.join('\n'));
    const cameraNumber = (counts.get(name) ?? 0) + 1;
    counts.set(name, cameraNumber);
    const behaviour = mergeBehaviours(behaviours.get(name) ?? {}, own.behaviour);
    await wait(behaviour.delayMs ?? delayMs, undefined, { signal });
    const captureNow = (): Capture => ({ name, atMs: Date.now(), number, cameraNumber });
    const draw = (capture?: Capture) =>
      limit(() => {
        signal.throwIfAborted();
        return drawPicture(capture ?? captureNow(), behaviour.size);
      });
    const frozenCapture = () => {
      const capture = frozen.get(name) ?? captureNow();
      frozen.set(name, capture);
      return capture;
    };
    const conditions = {
      ifNoneMatch: headers['if-none-match'],
      ifModifiedSince: headers['if-modified-since'],
    };
    return await answerTo({ name, behaviour, query, conditions, draw, frozenCapture });
  };

  return { answer, behaviours, thaw: (name) => frozen.delete(name) };
}
