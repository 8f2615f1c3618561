import { expect, it } from 'vitest';
import { startTestServer } from './http/test-server.ts';

it('handles a thousand slow calls at once', async () => {
  const { get, calls } = await startTestServer({ delayMs: 500 });
  const paths = Array.from({ length: 1000 }, (_, i) => `/image/cam-${i % 50}?size=64x36`);
  const statuses = await Promise.all(
    paths.map(async (path) => {
      const response = await get(path);
      await response.arrayBuffer();
      return response.status;
    }),
  );
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect((await calls()).length).toBe(1000);
});
