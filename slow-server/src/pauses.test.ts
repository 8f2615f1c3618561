import { expect, it, vi } from 'vitest';
import { watchPauses } from './pauses.ts';

it('notes how long the process could not look, and nothing else', async () => {
  const pauses = watchPauses();
  const fromMs = performance.now();
  while (performance.now() - fromMs < 60) {
    // busy on purpose: nothing else runs meanwhile
  }
  await vi.waitFor(() => expect(pauses.all().at(-1)?.toMs).toBeGreaterThan(fromMs + 55));
  const pause = pauses.all().at(-1);
  expect(pause?.fromMs).toBeLessThan(fromMs + 5);
  pauses.close();
});
