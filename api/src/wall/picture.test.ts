import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createPicture } from './picture.js';

interface PendingRequest {
  headers: Record<string, string>;
  answer: (response: Response) => void;
}

let requests: PendingRequest[];

beforeEach(() => {
  requests = [];
  vi.useFakeTimers();
  vi.stubGlobal(
    'Image',
    class {
      src = '';
      decode = async () => {};
    },
  );
  vi.stubGlobal('fetch', (_: string, { headers }: { headers: Record<string, string> }) => {
    return new Promise((answer) => requests.push({ headers, answer }));
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
  requests[n]?.answer(new Response(status === 304 ? null : body, { status, headers }));
  await vi.advanceTimersByTimeAsync(0);
}

it('fetches the announced frame, then only one that differs from it', async () => {
  const { picture, shown } = start();
  picture.want('"a"');
  expect(requests[0]?.headers).toEqual({ Prefer: 'respond-async' });
  await answer(0, 200, '"a"');
  picture.want('"b"');
  expect(requests[1]?.headers).toEqual({ 'If-None-Match': '"a"', Prefer: 'wait=2' });
  await answer(1, 200, '"b"');
  expect(shown).toEqual(['"a"', '"b"']);
});

it('fetches nothing while hidden, and only the latest once visible', async () => {
  const { picture, shown } = start({ visible: false });
  picture.want('"a"');
  picture.want('"b"');
  expect(requests).toEqual([]);
  picture.setVisible(true);
  await answer(0, 200, '"b"');
  expect([requests.length, shown]).toEqual([1, ['"b"']]);
});

it('does not show an older frame of a process that is behind, but waits for the next', async () => {
  const { picture, shown } = start();
  for (const etag of ['"a"', '"b"', '"c"']) {
    picture.want(etag);
  }
  await answer(0, 200, '"b"');
  expect(shown).toEqual([]);
  expect(requests[1]?.headers).toEqual({ 'If-None-Match': '"b"', Prefer: 'wait=2' });
  await answer(1, 200, '"c"');
  expect(shown).toEqual(['"c"']);
});

it('recognises an old frame that was never announced by its date', async () => {
  const { picture, shown } = start();
  picture.want('"a"', '2026-09-22T10:00:01.900Z');
  await answer(0, 200, '"a"');
  picture.want('"b"', '2026-09-22T10:00:06.900Z');
  await answer(1, 200, '"ancient"', { modified: 'Tue, 22 Sep 2026 09:59:40 GMT' });
  expect(requests[2]?.headers['If-None-Match']).toBe('"a", "ancient"');
  await answer(2, 200, '"b"', { modified: 'Tue, 22 Sep 2026 10:00:06 GMT' });
  expect(shown).toEqual(['"a"', '"b"']);
});

it('shows a frame that arrives before its announcement', async () => {
  const { picture, shown } = start();
  picture.want('"a"');
  await answer(0, 200, '"new"');
  await vi.advanceTimersByTimeAsync(20_000);
  expect([requests.length, shown]).toEqual([1, ['"new"']]);
});

it('needs one request when later frames are announced meanwhile', async () => {
  const { picture, shown } = start();
  picture.want('"a"');
  picture.want('"b"');
  picture.want('"c"');
  expect(requests).toHaveLength(1);
  await answer(0, 200, '"c"');
  expect([requests.length, shown]).toEqual([1, ['"c"']]);
});

it('retries with growing delays, at once on an update, and reports the problem', async () => {
  const { picture, shown, troubles } = start();
  picture.want('"a"');
  await answer(0, 503, '', { body: '{"detail":"Redis is away"}' });
  expect(troubles).toEqual(['There is no picture yet: Redis is away']);
  await vi.advanceTimersByTimeAsync(500);
  await answer(1, 503);
  await vi.advanceTimersByTimeAsync(500);
  expect(requests).toHaveLength(2);
  picture.want('"b"');
  await vi.advanceTimersByTimeAsync(0);
  await answer(2, 200, '"b"');
  expect(shown).toEqual(['"b"']);
  expect(troubles.at(-1)).toBeUndefined();
});
