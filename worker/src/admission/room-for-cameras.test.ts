import { expect, it } from 'vitest';
import { createRoomForCameras } from './room-for-cameras.ts';

const link = (used: number) => ({
  isReady: true,
  run: async () =>
    `used_memory:${used}\r\nmaxmemory:100\r\nmaxmemory_policy:noeviction\r\n` as never,
});

it.each([
  ['the frames Redis', 80, 10],
  ['the queue Redis, which keeps their jobs and back-offs', 10, 80],
])('new cameras are rejected when %s is full', async (_, framesUsed, queueUsed) => {
  const room = createRoomForCameras({
    framesLinks: () => [link(framesUsed)],
    queueLink: link(queueUsed),
    rules: () => ({ sources: [], cameras: new Map(), namedById: new Map() }),
    log: { info: () => {}, warn: () => {} } as never,
    ...({} as { clock: never; redis: never; frames: never; keys: never }),
  });
  expect(room.whyNewRejected()).toBeUndefined();
  await room.poll();
  expect(room.whyNewRejected()).toMatch(/80 % .* no first frame/);
});
