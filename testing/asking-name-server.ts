/** Environment of a worker that asks this name server. */
export function askingNameServer({ address }: { address: string }): Record<string, string> {
  const preload = new URL(`./use-name-server.ts?server=${address}`, import.meta.url);
  return { NODE_OPTIONS: `--import=${preload}` };
}
