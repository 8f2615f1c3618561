/** What the image's command may be. */
export const PARTS = ['api', 'worker', 'slow-server'] as const;

export type Part = (typeof PARTS)[number];

export function isPart(word: string): word is Part {
  return (PARTS as readonly string[]).includes(word);
}
