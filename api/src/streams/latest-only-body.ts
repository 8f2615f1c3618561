/** A response body that stays open until the viewer leaves. */
export interface LatestOnlyBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** Signals that there may be something to send. */
  wake(): void;
  /** Sends what is left and `last`, then ends. */
  end(last?: Uint8Array): void;
}

/**
 * Takes chunks only when the viewer can read more, so nothing is queued for slow viewers: they get
 * fewer. `takeChunks` returns an empty array when there is nothing new.
 */
export function createLatestOnlyBody(
  takeChunks: () => Uint8Array[],
  onClose: () => void,
): LatestOnlyBody {
  let woken = Promise.withResolvers<void>();
  let state: 'open' | 'ending' | 'closed' = 'open';
  let finalBytes: Uint8Array | undefined;
  const close = () => {
    if (state === 'closed') return;
    state = 'closed';
    onClose();
  };
  const wake = () => {
    woken.resolve();
    woken = Promise.withResolvers();
  };
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    for (;;) {
      if (state === 'closed') return;
      const chunks = takeChunks();
      for (const chunk of chunks) controller.enqueue(chunk);
      if (chunks.length > 0) return;
      if (state === 'ending') {
        if (finalBytes) controller.enqueue(finalBytes);
        controller.close();
        close();
        return;
      }
      await woken.promise;
    }
  };
  const cancel = () => {
    close();
    wake();
  };
  return {
    stream: new ReadableStream({ pull, cancel }, { highWaterMark: 0 }),
    wake,
    end: (last) => {
      if (state !== 'open') return;
      state = 'ending';
      finalBytes = last;
      wake();
    },
  };
}
