/** Environment of a worker that resolves names at this name server. */
export function nameServerEnv({ address }: { address: string }): Record<string, string> {
  const preload = new URL(`./use-name-server.ts?server=${address}`, import.meta.url);
  return { NODE_OPTIONS: `--import=${preload}` };
}
