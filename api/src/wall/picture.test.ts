import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createPicture } from './picture.js';

interface Asked {
  headers: Record<string, string>;
  answer: (response: Response) => void;
}

let asked: Asked[];

beforeEach(() => {
  asked = [];
  vi.useFakeTimers();
  vi.stubGlobal(
    'Image',
    class {
      src = '';
      decode = async () => {};
    },
  );
  vi.stubGlobal('fetch', (_: string, { headers }: { headers: Record<string, string> }) => {
    return new Promise((answer) => asked.push({ headers, answer }));
  });
  vi.spyOn(URL, 'createObjectURL').mockReturnValue('blob:picture');
  vi.spyOn(URL, 'revokeObjectURL').mockReturnValue();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function start({ visible = true } = {}) {
  const shown: string[] = [];
  const troubles: (string | undefined)[] = [];
  const picture = createPicture({
    url: 'cameras/a',
    onShown: ({ etag }) => shown.push(etag),
    onTrouble: (words) => troubles.push(words),
  });
  picture.setVisible(visible);
  return { picture, shown, troubles };
}

async function answer(
  n: number,
  status: number,
  etag = '',
  { body = 'bytes', modified = '' } = {},
) {
  const headers = { etag, ...(modified && { 'Last-Modified': modified }) };
  asked[n]?.answer(new Response(status === 304 ? null : body, { status, headers }));
  await vi.advanceTimersByTimeAsync(0);
}

it('fetches what was announced, and asks next time for what differs from that', async () => {
  const { picture, shown } = start();
  picture.want('"a"');
  expect(asked[0]?.headers).toEqual({ Prefer: 'respond-async' });
  await answer(0, 200, '"a"');
  picture.want('"b"');
  expect(asked[1]?.headers).toEqual({ 'If-None-Match': '"a"', Prefer: 'wait=2' });
  await answer(1, 200, '"b"');
  expect(shown).toEqual(['"a"', '"b"']);
});

it('fetches nothing that is not looked at, and the latest alone once it is', async () => {
  const { picture, shown } = start({ visible: false });
  picture.want('"a"');
  picture.want('"b"');
  expect(asked).toEqual([]);
  picture.setVisible(true);
  await answer(0, 200, '"b"');
  expect([asked.length, shown]).toEqual([1, ['"b"']]);
});

it('does not go back to an older frame of a process that is behind, but waits for the next', async () => {
  const { picture, shown } = start();
  for (const etag of ['"a"', '"b"', '"c"']) {
    picture.want(etag);
  }
  await answer(0, 200, '"b"');
  expect(shown).toEqual([]);
  expect(asked[1]?.headers).toEqual({ 'If-None-Match': '"b"', Prefer: 'wait=2' });
  await answer(1, 200, '"c"');
  expect(shown).toEqual(['"c"']);
});

it('knows a frame as old of which it never heard: it was changed before the one that is wanted', async () => {
  const { picture, shown } = start();
  picture.want('"a"', '2026-09-22T10:00:01.900Z');
  await answer(0, 200, '"a"');
  picture.want('"b"', '2026-09-22T10:00:06.900Z');
  await answer(1, 200, '"ancient"', { modified: 'Tue, 22 Sep 2026 09:59:40 GMT' });
  expect(asked[2]?.headers['If-None-Match']).toBe('"a", "ancient"');
  await answer(2, 200, '"b"', { modified: 'Tue, 22 Sep 2026 10:00:06 GMT' });
  expect(shown).toEqual(['"a"', '"b"']);
});

it('takes a frame that is newer than the news of it', async () => {
  const { picture, shown } = start();
  picture.want('"a"');
  await answer(0, 200, '"new"');
  await vi.advanceTimersByTimeAsync(20_000);
  expect([asked.length, shown]).toEqual([1, ['"new"']]);
});

it('asks once more when a later frame was announced meanwhile', async () => {
  const { picture, shown } = start();
  picture.want('"a"');
  picture.want('"b"');
  picture.want('"c"');
  expect(asked).toHaveLength(1);
  await answer(0, 200, '"c"');
  expect([asked.length, shown]).toEqual([1, ['"c"']]);
});

it('tries again at growing distances, at once when there is news, and says what is wrong meanwhile', async () => {
  const { picture, shown, troubles } = start();
  picture.want('"a"');
  await answer(0, 503, '', { body: '{"detail":"Redis is away"}' });
  expect(troubles).toEqual(['There is no picture yet: Redis is away']);
  await vi.advanceTimersByTimeAsync(500);
  await answer(1, 503);
  await vi.advanceTimersByTimeAsync(500);
  expect(asked).toHaveLength(2);
  picture.want('"b"');
  await vi.advanceTimersByTimeAsync(0);
  await answer(2, 200, '"b"');
  expect(shown).toEqual(['"b"']);
  expect(troubles.at(-1)).toBeUndefined();
});
