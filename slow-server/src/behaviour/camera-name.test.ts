import { expect, it } from 'vitest';
import { cameraNameIn } from './camera-name.ts';

it('decodes the rest of the path, slashes included', () => {
  expect(cameraNameIn('/image/north%20runway', '/image')).toEqual({
    ok: true,
    name: 'north runway',
  });
  expect(cameraNameIn('/image/Z%C3%BCrich/2', '/image')).toEqual({ ok: true, name: 'Zürich/2' });
});

it('uses the given name for the bare path', () => {
  expect(cameraNameIn('/image', '/image', 'image')).toEqual({ ok: true, name: 'image' });
});

it.each(['', '%00', 'a%0Ab', '%zz', `${'a'.repeat(101)}`, '%3Cb%3E'])('refuses "%s"', (text) => {
  expect(cameraNameIn(`/image/${text}`, '/image')).toMatchObject({
    ok: false,
    fault: expect.stringContaining('1 to 100 letters'),
  });
});
