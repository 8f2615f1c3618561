/** A fenced block of a Markdown page. */
export interface Snippet {
  file: string;
  line: number;
  language: string;
  text: string;
}

export function snippetsOf(file: string, text: string): Snippet[] {
  const blocks = text.matchAll(/^[ \t]*(```+|~~~+)(\w*)[ \t]*\n(.*?)^[ \t]*\1[ \t]*$/gms);
  return [...blocks].map(({ index, 2: language = '', 3: block = '' }) => ({
    file,
    line: text.slice(0, index).split('\n').length + 1,
    language,
    text: block,
  }));
}

/** Returns a shell block's commands without comments; a trailing `\` joins lines. */
export function commandsOf({ text }: Snippet): string[] {
  return text
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** Returns every relative link and picture, with its `#` anchor. */
export function linksOf(text: string): { path: string; anchor: string | undefined }[] {
  const withoutCode = text.replace(/^\s*```[\s\S]*?^\s*```/gm, '').replace(/`[^`\n]*`/g, '');
  return [...withoutCode.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/i.test(target))
    .map((target) => {
      const [path = '', anchor] = target.split('#');
      return { path, anchor };
    });
}

/** Returns the anchors that GitHub derives from a page's headings. */
export function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
}
