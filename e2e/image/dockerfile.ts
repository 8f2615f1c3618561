/** One step of a Dockerfile, in its last stage or in a named one. */
export interface Step {
  stage: string;
  instruction: string;
  rest: string;
}

/** Steps in order; the last stage is named `final` unless it has a name. Knows what our file uses. */
export function parseDockerfile(text: string): Step[] {
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n');
  let stage = '';
  return lines.filter(Boolean).map((line) => {
    const [, instruction = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (instruction === 'FROM') stage = /\sAS\s+(\S+)$/i.exec(rest)?.[1] ?? 'final';
    return { stage, instruction, rest: rest.replaceAll(/\s+/g, ' ') };
  });
}

/** The last word of a kind in the final stage, as `ENTRYPOINT`. */
export function lastOf(steps: readonly Step[], instruction: string): string {
  const found = steps.findLast(
    (step) => step.stage === 'final' && step.instruction === instruction,
  );
  if (!found) throw new Error(`the Dockerfile has no ${instruction}`);
  return found.rest;
}

export interface Copy {
  from: string | undefined;
  sources: string[];
  target: string;
}

export function parseCopy(rest: string): Copy {
  const words = rest.split(' ');
  const from = /^--from=(.+)$/.exec(words[0] ?? '')?.[1];
  const paths = from ? words.slice(1) : words;
  return { from, sources: paths.slice(0, -1), target: paths.at(-1) ?? '' };
}
