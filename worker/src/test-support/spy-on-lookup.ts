import dns from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';
import { afterAll, beforeAll, type MockInstance, vi } from 'vitest';

/** As `dns.lookup` with `all`. */
type LookUpAll = (host: string) => Promise<{ address: string; family: number }[]>;

/** Stands in for the machine's own look-up in one test file; other files may share the module. */
export function spyOnLookup(): MockInstance<LookUpAll> {
  const spy = vi.spyOn(dns as unknown as { lookup: LookUpAll }, 'lookup');
  beforeAll(() => syncBuiltinESMExports());
  afterAll(() => {
    spy.mockRestore();
    syncBuiltinESMExports();
  });
  return spy;
}
