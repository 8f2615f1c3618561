/** The commands that the image knows. */
export const PARTS = ['api', 'worker', 'slow-server'] as const;

export type Part = (typeof PARTS)[number];

export function isPart(word: string): word is Part {
  return (PARTS as readonly string[]).includes(word);
}
