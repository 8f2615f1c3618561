import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { listen } from './http-server.ts';

it('says of an address that is not the machine’s which variable to correct, of either listener', async () => {
  // TEST-NET-1 (RFC 5737): nobody has it.
  const listening = listen(createServer(), { host: '192.0.2.1', port: 0 });
  await expect(listening).rejects.toThrow(
    '192.0.2.1 is no address of this machine; correct HOST or OPS_HOST',
  );
});
