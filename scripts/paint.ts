import { styleText } from 'node:util';

export type Style = Parameters<typeof styleText>[0];

/** Colours a text, or leaves it unchanged. */
export type Paint = (style: Style, text: string) => string;

export const plain: Paint = (_style, text) => text;
const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false });

/** Returns a colouring function for terminals, unless NO_COLOR is set. */
export function paintFor(stream: { isTTY?: boolean }, noColor: string | undefined): Paint {
  return stream.isTTY && !noColor ? coloured : plain;
}
