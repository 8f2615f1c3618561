export interface Mood {
  /** Sky colours, top to horizon. */
  sky: readonly [Hsl, Hsl, Hsl];
  /** Where the light comes from; none under clouds. */
  light: 'sun' | 'moon' | 'none';
  lightColour: string;
  cloudColour: string;
  /** The colours of far and near land; the land between mixes them. */
  far: Hsl;
  near: Hsl;
  /** Lamps and windows are lit. */
  lit: boolean;
}

export type Hsl = readonly [hue: number, saturation: number, lightness: number];

/** Times of day and kinds of weather. */
export const MOODS: readonly Mood[] = [
  {
    sky: [
      [213, 57, 39],
      [209, 61, 65],
      [204, 66, 89],
    ],
    light: 'sun',
    lightColour: '#fff7d6',
    cloudColour: '#ffffff',
    far: [208, 28, 62],
    near: [128, 32, 22],
    lit: false,
  },
  {
    sky: [
      [240, 35, 25],
      [341, 51, 56],
      [32, 100, 74],
    ],
    light: 'sun',
    lightColour: '#fff0c2',
    cloudColour: '#f6a6a0',
    far: [326, 30, 48],
    near: [262, 38, 12],
    lit: true,
  },
  {
    sky: [
      [226, 64, 8],
      [219, 61, 18],
      [215, 43, 34],
    ],
    light: 'moon',
    lightColour: '#eef2ff',
    cloudColour: '#4a628c',
    far: [217, 36, 27],
    near: [222, 46, 6],
    lit: true,
  },
  {
    sky: [
      [210, 15, 47],
      [206, 16, 65],
      [198, 13, 85],
    ],
    light: 'none',
    lightColour: '#ffffff',
    cloudColour: '#eef1f3',
    far: [200, 12, 64],
    near: [158, 17, 22],
    lit: false,
  },
  {
    sky: [
      [205, 43, 41],
      [185, 31, 66],
      [39, 100, 83],
    ],
    light: 'sun',
    lightColour: '#fffbe6',
    cloudColour: '#ffe9cf',
    far: [28, 30, 62],
    near: [18, 42, 19],
    lit: false,
  },
  {
    sky: [
      [197, 67, 14],
      [182, 56, 27],
      [138, 43, 74],
    ],
    light: 'moon',
    lightColour: '#f3fff4',
    cloudColour: '#5fa39a',
    far: [176, 34, 36],
    near: [190, 52, 9],
    lit: true,
  },
  {
    sky: [
      [212, 42, 22],
      [18, 62, 52],
      [42, 96, 68],
    ],
    light: 'sun',
    lightColour: '#ffe2a0',
    cloudColour: '#7d4a56',
    far: [374, 34, 40],
    near: [222, 30, 10],
    lit: true,
  },
  {
    sky: [
      [198, 62, 58],
      [192, 56, 74],
      [60, 40, 92],
    ],
    light: 'sun',
    lightColour: '#ffffff',
    cloudColour: '#ffffff',
    far: [186, 24, 62],
    near: [142, 26, 23],
    lit: false,
  },
];

/** Returns a colour in CSS syntax. */
export function cssColour([hue, saturation, lightness]: Hsl): string {
  return `hsl(${Math.round(hue)} ${Math.round(saturation)}% ${Math.round(lightness)}%)`;
}

/** Returns the land's colour at a nearness from 0 (far) to 1 (near). */
export function landColour({ far, near }: Pick<Mood, 'far' | 'near'>, nearness: number): string {
  const mix = (i: 0 | 1 | 2) => far[i] + (near[i] - far[i]) * nearness;
  return cssColour([mix(0), mix(1), mix(2)]);
}

/** Shifts the hues, so that two cameras of one mood still differ. */
export function shiftHues(mood: Mood, byDegrees: number): Mood {
  const shift = ([hue, saturation, lightness]: Hsl): Hsl => [
    hue + byDegrees,
    saturation,
    lightness,
  ];
  const [top, middle, horizon] = mood.sky;
  const sky = [shift(top), shift(middle), shift(horizon)] as const;
  return { ...mood, sky, far: shift(mood.far), near: shift(mood.near) };
}
