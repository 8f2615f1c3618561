import { describe, expect, it } from 'vitest';
import { changesSentence, durationWords, everyWords, problemWords, sizeWords } from './words.js';

describe('a duration', () => {
  it.each([
    [-5, '0 s'],
    [999, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [245_000, '4 min 5 s'],
    [3_600_000, '1 h'],
    [3_600_000 * 3 + 60_000 * 12, '3 h 12 min'],
    [86_400_000 * 2 + 3_600_000 * 4, '2 d 4 h'],
  ])('of %d ms is shown as %s', (ms, words) => {
    expect(durationWords(ms)).toBe(words);
  });
});

it('says how often a camera is called', () => {
  expect(everyWords(5000, undefined)).toBe('every 5 s');
  expect(everyWords(5000, 600_000)).toBe('every 5 s to 10 min');
});

it('shows sizes in a suitable unit', () => {
  expect([sizeWords(10), sizeWords(64_351), sizeWords(2_400_000)]).toEqual([
    '1 KiB',
    '63 KiB',
    '2.3 MiB',
  ]);
});

it('explains a problem to the viewer, with the detail from the API', () => {
  expect(problemWords(403, 'no source allows it')).toMatch(/may not be shown.*no source allows it/);
  expect(problemWords(503, 'no frame yet')).toMatch(/no picture yet/);
});

describe('changes of health', () => {
  it('are announced one by one, with the reason', () => {
    const changes = [
      { title: 'Harbour', health: 'failing', reason: 'the camera responded with 500' },
      { title: 'Square', health: 'live' },
    ] as const;
    expect(changesSentence(changes)).toBe(
      'Harbour is failing: the camera responded with 500. Square is live.',
    );
  });

  it('are summed up when there are many', () => {
    const changes = Array.from({ length: 40 }, (_, n) => ({
      title: `Camera ${n}`,
      health: 'late' as const,
    }));
    const sentence = changesSentence(changes);
    expect(sentence).toMatch(/^40 cameras have changed/);
    expect(sentence.length).toBeLessThan(120);
  });
});
