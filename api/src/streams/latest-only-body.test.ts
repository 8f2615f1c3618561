import { describe, expect, it, vi } from 'vitest';
import { createPushBody } from './latest-only-body.ts';

function bodyParts() {
  let pending: string[] = [];
  const take = vi.fn(() => pending.splice(0).map((text) => Buffer.from(text)));
  const onClose = vi.fn();
  const body = createPushBody(take, onClose);
  const reader = body.stream.getReader();
  const read = async () => {
    const { value } = await reader.read();
    return value && String(value);
  };
  const push = (...texts: string[]) => {
    pending = texts;
    body.wake();
  };
  return { body, reader, read, push, take, onClose };
}

describe('a body that is pushed', () => {
  it('is asked for nothing before somebody reads, and for what is new only then', async () => {
    const { push, read, take } = bodyParts();
    push('old');
    push('new');
    expect(take).not.toHaveBeenCalled();
    expect(await read()).toBe('new');
  });

  it('gives what comes while somebody waits, piece by piece', async () => {
    const { push, read, body } = bodyParts();
    const waiting = read();
    body.wake(); // for nothing
    push('a', 'b');
    expect([await waiting, await read()]).toEqual(['a', 'b']);
  });

  it('ends with what is left and its last words, once', async () => {
    const { push, read, body, onClose } = bodyParts();
    push('left');
    body.end(Buffer.from('bye'));
    body.end(Buffer.from('again'));
    expect([await read(), await read(), await read()]).toEqual(['left', 'bye', undefined]);
    expect(onClose).toHaveBeenCalledOnce();
  });

  it('tells at once when the viewer leaves, and takes nothing more', async () => {
    const { reader, read, push, take, onClose } = bodyParts();
    const waiting = read();
    await expect.poll(() => take.mock.calls.length).toBe(1);
    await reader.cancel();
    expect(onClose).toHaveBeenCalledOnce();
    push('too late');
    expect(await waiting).toBeUndefined();
    expect(take).toHaveBeenCalledOnce();
  });
});
