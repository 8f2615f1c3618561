/** A fenced block of a Markdown page. */
export interface Snippet {
  file: string;
  line: number;
  language: string;
  text: string;
}

export function snippetsOf(file: string, text: string): Snippet[] {
  const snippets: Snippet[] = [];
  let open: (Snippet & { fence: string }) | undefined;
  for (const [n, line] of text.split('\n').entries()) {
    const fence = /^\s*(```+|~~~+)(\w*)\s*$/.exec(line);
    if (!open && fence) {
      open = { file, line: n + 2, language: fence[2] ?? '', text: '', fence: fence[1] ?? '' };
    } else if (open && line.trim() === open.fence) {
      snippets.push({ file, line: open.line, language: open.language, text: open.text });
      open = undefined;
    } else if (open) open.text += `${line}\n`;
  }
  return snippets;
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
