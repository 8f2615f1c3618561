import dns from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';
import { beforeAll, type Mock, vi } from 'vitest';

/** As `dns.lookup` with `all`. */
type LookUpAll = (host: string) => Promise<{ address: string; family: number }[]>;

/** Stands in for the machine's own look-up in one test file; other files may share the module. */
export function spyOnLookup(): Mock<LookUpAll> {
  const lookup = vi.fn<LookUpAll>();
  // Not before: of a file that can't be loaded nothing would be undone.
  beforeAll(() => {
    const spy = vi.spyOn(dns as unknown as { lookup: LookUpAll }, 'lookup');
    spy.mockImplementation(lookup);
    syncBuiltinESMExports();
    return () => {
      spy.mockRestore();
      syncBuiltinESMExports();
    };
  });
  return lookup;
}
