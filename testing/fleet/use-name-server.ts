import { Resolver } from 'node:dns/promises';

/**
 * Loaded into a worker by `NODE_OPTIONS=--import`, resolves its names at the name servers in this
 * module's query, not at the machine's.
 */
const servers = new URL(import.meta.url).searchParams.getAll('server');
const configured = new WeakSet<Resolver>();

for (const method of ['resolve4', 'resolve6'] as const) {
  const original = Resolver.prototype[method] as (...args: unknown[]) => Promise<unknown>;
  Resolver.prototype[method] = function (this: Resolver, ...args: unknown[]) {
    if (!configured.has(this)) this.setServers(servers);
    configured.add(this);
    return original.apply(this, args);
  } as never;
}
