import { MOODS, type Mood, shiftHues } from './mood.ts';

export type SceneKind = 'mountains' | 'city' | 'coast' | 'airfield';

/** How a camera's pictures style. The same name always styles the same. */
export interface PictureStyle {
  kind: SceneKind;
  mood: Mood;
  /** The camera's own colour in the overlay. */
  accent: string;
  /** Mirrors the scene: left is right. */
  mirrored: boolean;
  /** Returns a fresh generator, so that layers stay in place from picture to picture. */
  random: () => () => number;
}

const KIND_WORDS: readonly (readonly [SceneKind, RegExp])[] = [
  ['airfield', /runway|air|apron|helipad/i],
  ['coast', /harbou?r|coast|beach|bay|pier|sea|port|island|river/i],
  ['mountains', /summit|alp|mountain|ridge|valley|lake|peak|hill|forest|pass|hut/i],
  ['city', /street|square|city|town|plaza|tower|station|market|bridge|yard|gate|roof/i],
];

const KINDS: readonly SceneKind[] = ['mountains', 'city', 'coast', 'airfield'];

/** Returns the style of the camera with this name. */
export function styleOf(name: string): PictureStyle {
  const seed = hash(name);
  const pick = randomFrom(seed);
  const base = itemAt(MOODS, pick());
  const byName = KIND_WORDS.find(([, words]) => words.test(name))?.[0];
  const kind = byName ?? itemAt(KINDS, pick());
  const shift = (pick() - 0.5) * 36;
  const mirrored = pick() < 0.5;
  const accent = `hsl(${Math.floor(pick() * 360)} 90% 68%)`;
  const random = () => randomFrom(seed ^ 0x9e3779b9);
  return { kind, mood: shiftHues(base, shift), accent, mirrored, random };
}

/** Returns the item at a fraction from 0 to below 1. */
function itemAt<Item>(items: readonly Item[], fraction: number): Item {
  const item = items[Math.floor(fraction * items.length)];
  if (item === undefined) throw new RangeError(`no item at ${fraction}`);
  return item;
}

/** FNV-1a, then a finaliser: short names that differ in one letter must not style alike. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}

/** mulberry32: numbers from 0 to below 1. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
