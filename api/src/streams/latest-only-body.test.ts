import { describe, expect, it, vi } from 'vitest';
import { createLatestOnlyBody } from './latest-only-body.ts';

function bodyParts() {
  let pending: string[] = [];
  const takeChunks = vi.fn(() => pending.splice(0).map((text) => Buffer.from(text)));
  const onClose = vi.fn();
  const body = createLatestOnlyBody(takeChunks, onClose);
  const reader = body.stream.getReader();
  const read = async () => {
    const { value } = await reader.read();
    return value && String(value);
  };
  const push = (...texts: string[]) => {
    pending = texts;
    body.wake();
  };
  return { body, reader, read, push, takeChunks, onClose };
}

describe('a latest-only body', () => {
  it('takes nothing before it is read, and then only the latest', async () => {
    const { push, read, takeChunks } = bodyParts();
    push('old');
    push('new');
    expect(takeChunks).not.toHaveBeenCalled();
    expect(await read()).toBe('new');
  });

  it('sends what arrives during a read, piece by piece', async () => {
    const { push, read, body } = bodyParts();
    const waiting = read();
    body.wake(); // nothing new
    push('a', 'b');
    expect([await waiting, await read()]).toEqual(['a', 'b']);
  });

  it('ends once, with what is left and the last bytes', async () => {
    const { push, read, body, onClose } = bodyParts();
    push('left');
    body.end(Buffer.from('bye'));
    body.end(Buffer.from('again'));
    expect([await read(), await read(), await read()]).toEqual(['left', 'bye', undefined]);
    expect(onClose).toHaveBeenCalledOnce();
  });

  it('calls onClose at once when the viewer leaves, and takes nothing more', async () => {
    const { reader, read, push, takeChunks, onClose } = bodyParts();
    const waiting = read();
    await expect.poll(() => takeChunks.mock.calls.length).toBe(1);
    await reader.cancel();
    expect(onClose).toHaveBeenCalledOnce();
    push('too late');
    expect(await waiting).toBeUndefined();
    expect(takeChunks).toHaveBeenCalledOnce();
  });
});
