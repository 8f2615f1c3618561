import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import pLimit from 'p-limit';
import { type Answer, textAnswer } from './answer.ts';
import { mergeBehaviours, parseBehaviour } from './behaviour.ts';
import type { CameraMemory } from './camera-memory.ts';
import { answerTo } from './misbehaviour.ts';
import { drawPicture } from './picture.ts';
import type { Capture } from './stage.ts';

/** A call to a camera, as it came in. */
interface ImageCall {
  name: string;
  /** Its number of all calls. */
  number: number;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** Aborted when the caller leaves. */
  signal: AbortSignal;
}

interface ImageCallDeps {
  memory: CameraMemory;
  delayMs: number;
}

/** The answer to a call, when it is due. Rejects when the caller leaves before. */
export type AnswerImageCall = (call: ImageCall) => Promise<Answer>;

/** A picture being drawn holds 3.7 MB of pixels: a thousand calls that are due at once take turns. */
const DRAWN_AT_ONCE = 4;

export function createImageCallAnswerer({ memory, delayMs }: ImageCallDeps): AnswerImageCall {
  const takeTurn = pLimit(DRAWN_AT_ONCE);

  return async ({ name, number, query, headers, signal }) => {
    const own = parseBehaviour(query);
    if (!own.ok) return textAnswer(400, own.faults.join('\n'));
    const cameraNumber = memory.countCall(name);
    const behaviour = mergeBehaviours(memory.behaviours.get(name) ?? {}, own.behaviour);
    await wait(behaviour.delayMs ?? delayMs, undefined, { signal });
    const captureNow = (): Capture => ({ name, atMs: Date.now(), number, cameraNumber });
    return await answerTo({
      behaviour,
      query,
      ifNoneMatch: headers['if-none-match'],
      ifModifiedSince: headers['if-modified-since'],
      frozenCapture: () => memory.freeze(captureNow()),
      draw: (capture) =>
        takeTurn(() => {
          signal.throwIfAborted();
          return drawPicture(capture ?? captureNow(), behaviour.size);
        }),
    });
  };
}
