import { matchesGlob } from 'node:path';

/** Whether `.dockerignore` keeps a path out of the image: the last pattern that matches it, or a folder above, decides. */
export function createDockerIgnore(text: string): (path: string) => boolean {
  const patterns = text.split('\n').filter((line) => line && !line.startsWith('#'));
  return (path) => {
    const words = path.split('/');
    const above = words.map((_, index) => words.slice(0, index + 1).join('/'));
    const decides = patterns.findLast((pattern) =>
      above.some((part) => matchesGlob(part, pattern.replace('!', ''))),
    );
    return decides !== undefined && !decides.startsWith('!');
  };
}
