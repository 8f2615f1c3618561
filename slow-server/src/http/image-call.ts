import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import pLimit from 'p-limit';
import { mergeBehaviours, parseBehaviour } from '../behaviour/behaviour.ts';
import type { CameraMemory } from '../behaviour/camera-memory.ts';
import { answerFor } from '../behaviour/misbehaviour.ts';
import { drawPicture } from '../picture/picture.ts';
import type { Capture } from '../picture/stage.ts';
import { type Answer, textAnswer } from './answer.ts';

/** A call to a camera, as received. */
interface ImageCall {
  name: string;
  /** Its number among all calls. */
  number: number;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** Aborted when the client disconnects. */
  signal: AbortSignal;
}

interface ImageCallDeps {
  memory: CameraMemory;
  delayMs: number;
}

/** Returns the answer to a call when it is due. Rejects if the client disconnects first. */
export type AnswerImageCall = (call: ImageCall) => Promise<Answer>;

/** A picture being drawn holds 3.7 MB of pixels, so a thousand calls due at once take turns. */
const MAX_DRAWN_AT_ONCE = 4;

export function createImageCallHandler({ memory, delayMs }: ImageCallDeps): AnswerImageCall {
  const limit = pLimit(MAX_DRAWN_AT_ONCE);

  return async ({ name, number, query, headers, signal }) => {
    const own = parseBehaviour(query);
    if (!own.ok) return textAnswer(400, own.faults.join('\n'));
    const cameraNumber = memory.countCall(name);
    const behaviour = mergeBehaviours(memory.behaviours.get(name) ?? {}, own.behaviour);
    await wait(behaviour.delayMs ?? delayMs, undefined, { signal });
    const captureNow = (): Capture => {
      const { everyMs } = behaviour;
      if (everyMs === undefined) return { name, atMs: Date.now(), number, cameraNumber };
      const picture = Math.floor(Date.now() / everyMs);
      return { name, atMs: picture * everyMs, number: picture, cameraNumber: picture };
    };
    return await answerFor({
      behaviour,
      query,
      ifNoneMatch: headers['if-none-match'],
      ifModifiedSince: headers['if-modified-since'],
      frozenCapture: () => memory.freeze(captureNow()),
      draw: (capture) =>
        limit(() => {
          signal.throwIfAborted();
          return drawPicture(capture ?? captureNow(), behaviour.size);
        }),
    });
  };
}
