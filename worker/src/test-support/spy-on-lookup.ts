import { Resolver as CallbackResolver, type LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { promisify } from 'node:util';
import { beforeAll, type Mock, vi } from 'vitest';

/** Resolves all addresses of a name. */
type LookUpAll = (host: string) => Promise<{ address: string; family: number }[]>;

/** Stands in for the name servers in one test file; other files may share the module. */
export function spyOnLookup(): Mock<LookUpAll> {
  const lookup = vi.fn<LookUpAll>();
  // Not earlier: if the test file fails to load, nothing restores the spies.
  beforeAll(() => {
    let found: ReturnType<LookUpAll>;
    const ofFamily = async (familyNumber: number) =>
      (await found).filter(({ family }) => family === familyNumber).map(({ address }) => address);
    // Both families of a name are queried at once: that is one look-up.
    const spies = [
      vi.spyOn(Resolver.prototype, 'resolve4').mockImplementation(async (host) => {
        found = lookup(host);
        return (await ofFamily(4)) as never;
      }),
      vi.spyOn(Resolver.prototype, 'resolve6').mockImplementation(async () => {
        return (await ofFamily(6)) as never;
      }),
    ];
    return () => {
      for (const spy of spies) spy.mockRestore();
    };
  });
  return lookup;
}

/** Queries this name server, past the spies. */
export function lookUpAt(server: string): LookUpAll {
  // Without retries: each query counts.
  const resolver = new CallbackResolver({ timeout: 30_000, tries: 1 });
  resolver.setServers([server]);
  const resolve4 = promisify<string, string[]>(resolver.resolve4.bind(resolver));
  const resolve6 = promisify<string, string[]>(resolver.resolve6.bind(resolver));
  const orNone = async (family: 4 | 6, answer: Promise<string[]>): Promise<LookupAddress[]> =>
    (await answer.catch(() => [])).map((address) => ({ address, family }));
  return async (host) =>
    (await Promise.all([orNone(4, resolve4(host)), orNone(6, resolve6(host))])).flat();
}
