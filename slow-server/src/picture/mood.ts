type Hsl = readonly [hue: number, saturation: number, lightness: number];

/** A time of day and the weather. */
export interface Mood {
  sky: Record<'top' | 'middle' | 'horizon', Hsl>;
  /** The land between mixes these colours. */
  land: Record<'far' | 'near', Hsl>;
  /** None under clouds. */
  light: { kind: 'sun' | 'moon' | 'none'; colour: string };
  cloudColour: string;
  /** Lamps and windows are lit. */
  isLit: boolean;
}

export const MOODS: readonly Mood[] = [
  {
    sky: { top: [213, 57, 39], middle: [209, 61, 65], horizon: [204, 66, 89] },
    land: { far: [208, 28, 62], near: [128, 32, 22] },
    light: { kind: 'sun', colour: '#fff7d6' },
    cloudColour: '#ffffff',
    isLit: false,
  },
  {
    sky: { top: [240, 35, 25], middle: [341, 51, 56], horizon: [32, 100, 74] },
    land: { far: [326, 30, 48], near: [262, 38, 12] },
    light: { kind: 'sun', colour: '#fff0c2' },
    cloudColour: '#f6a6a0',
    isLit: true,
  },
  {
    sky: { top: [226, 64, 8], middle: [219, 61, 18], horizon: [215, 43, 34] },
    land: { far: [217, 36, 27], near: [222, 46, 6] },
    light: { kind: 'moon', colour: '#eef2ff' },
    cloudColour: '#4a628c',
    isLit: true,
  },
  {
    sky: { top: [210, 15, 47], middle: [206, 16, 65], horizon: [198, 13, 85] },
    land: { far: [200, 12, 64], near: [158, 17, 22] },
    light: { kind: 'none', colour: '#ffffff' },
    cloudColour: '#eef1f3',
    isLit: false,
  },
  {
    sky: { top: [205, 43, 41], middle: [185, 31, 66], horizon: [39, 100, 83] },
    land: { far: [28, 30, 62], near: [18, 42, 19] },
    light: { kind: 'sun', colour: '#fffbe6' },
    cloudColour: '#ffe9cf',
    isLit: false,
  },
  {
    sky: { top: [197, 67, 14], middle: [182, 56, 27], horizon: [138, 43, 74] },
    land: { far: [176, 34, 36], near: [190, 52, 9] },
    light: { kind: 'moon', colour: '#f3fff4' },
    cloudColour: '#5fa39a',
    isLit: true,
  },
  {
    sky: { top: [212, 42, 22], middle: [18, 62, 52], horizon: [42, 96, 68] },
    land: { far: [374, 34, 40], near: [222, 30, 10] },
    light: { kind: 'sun', colour: '#ffe2a0' },
    cloudColour: '#7d4a56',
    isLit: true,
  },
  {
    sky: { top: [198, 62, 58], middle: [192, 56, 74], horizon: [60, 40, 92] },
    land: { far: [186, 24, 62], near: [142, 26, 23] },
    light: { kind: 'sun', colour: '#ffffff' },
    cloudColour: '#ffffff',
    isLit: false,
  },
];

/** Returns a colour in CSS syntax. */
export function cssColour([hue, saturation, lightness]: Hsl): string {
  return `hsl(${Math.round(hue)} ${Math.round(saturation)}% ${Math.round(lightness)}%)`;
}

/** Returns the land's colour at a nearness from 0 (far) to 1 (near). */
export function landColour({ land: { far, near } }: Mood, nearness: number): string {
  const mix = (i: 0 | 1 | 2) => far[i] + (near[i] - far[i]) * nearness;
  return cssColour([mix(0), mix(1), mix(2)]);
}

/** Shifts the hues, so that two cameras of one mood still differ. */
export function shiftHues({ sky, land, ...rest }: Mood, byDegrees: number): Mood {
  const shift = ([hue, ...others]: Hsl): Hsl => [hue + byDegrees, ...others];
  return {
    ...rest,
    sky: { top: shift(sky.top), middle: shift(sky.middle), horizon: shift(sky.horizon) },
    land: { far: shift(land.far), near: shift(land.near) },
  };
}
