/** Whether `.dockerignore` keeps a path out of the image: the last pattern that matches it, or a folder above, decides. */
export function createDockerIgnore(text: string): (path: string) => boolean {
  const patterns = text
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => ({ keeps: line.startsWith('!'), form: formOf(line.replace('!', '')) }));
  return (path) => {
    const words = path.split('/');
    const above = words.map((_, index) => words.slice(0, index + 1).join('/'));
    const decides = patterns.findLast(({ form }) => above.some((part) => form.test(part)));
    return decides !== undefined && !decides.keeps;
  };
}

/** As Docker reads it: a star is for names with a leading dot as well. */
function formOf(pattern: string): RegExp {
  const stars = { '**/': '(.*/)?', '**': '.*', '*': '[^/]*' };
  const escaped = pattern.replaceAll('.', '\\.');
  return new RegExp(`^${escaped.replaceAll(/\*\*\/|\*\*|\*/g, (star) => stars[star as '*'])}$`);
}
