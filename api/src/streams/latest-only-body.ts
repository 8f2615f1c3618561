/** A response body that goes on for as long as the viewer likes. */
export interface PushBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** There may be something to send. */
  wake(): void;
  /** Sends what is left and these last bytes, and ends. */
  end(last?: Uint8Array): void;
}

/**
 * Takes what is to be sent only when the viewer can take more: nothing queues up for one who reads
 * slowly, he just gets less. `take` gives nothing when there is nothing new.
 */
export function createPushBody(take: () => Uint8Array[], onClose: () => void): PushBody {
  let woken = Promise.withResolvers<void>();
  let state: 'open' | 'ending' | 'closed' = 'open';
  let lastWords: Uint8Array | undefined;
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
      const chunks = take();
      for (const chunk of chunks) controller.enqueue(chunk);
      if (chunks.length > 0) return;
      if (state === 'ending') {
        if (lastWords) controller.enqueue(lastWords);
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
      lastWords = last;
      wake();
    },
  };
}
