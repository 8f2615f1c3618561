/** Returns a field of Redis's INFO, or of CLUSTER INFO; undefined if it is missing. */
export function infoField(info: string, name: string): string | undefined {
  const line = info.split('\n').find((text) => text.startsWith(`${name}:`));
  return line?.slice(name.length + 1).trimEnd();
}
