/** Reads a number from a text such as Redis's INFO. Returns 0 if it does not contain the label. */
export function numberAfter(text: string, label: string): number {
  const at = text.indexOf(label);
  return at < 0 ? 0 : Number.parseFloat(text.slice(at + label.length));
}
