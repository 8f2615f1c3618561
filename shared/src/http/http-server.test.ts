import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { listen } from './http-server.ts';

it('names the variables to correct if the address does not belong to this machine', async () => {
  // TEST-NET-1 (RFC 5737): no machine has it.
  const listening = listen(createServer(), { host: '192.0.2.1', port: 0 });
  await expect(listening).rejects.toThrow(
    '192.0.2.1 is not an address of this machine; correct HOST or OPS_HOST',
  );
});
