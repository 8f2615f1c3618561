import { parseCameraUrl } from '@lastframe/shared/cameras/camera';
import { describe, expect, it } from 'vitest';
import { AddressRefusedError, allowedAddresses, isAllowed } from './connect/address-guard.ts';

/** CVEs of libraries that check addresses; e2e/security has those of whole services. */
const addressesOf = async (url: string) => await allowedAddresses(parseCameraUrl(url).hostname, []);

describe('CVE-2023-42282 (ip): hexadecimal loopback treated as public', () => {
  it.each(['0x7f.1', '0x7f.0.0.1', '0x7f000001', '0X7F.0x1'])('%s', async (host) => {
    await expect(addressesOf(`http://${host}/`)).rejects.toThrow(AddressRefusedError);
  });
});

describe('CVE-2024-29415 (ip): short, octal and IPv6 loopback treated as public', () => {
  it.each([
    '127.1',
    '127.0.1',
    '01200034567',
    '012.1.2.3',
    '0177.0.0.1',
    '[000:0:0000::01]',
    '[::fFFf:127.0.0.1]',
    '[0:0:0:0:0:ffff:7f00:1]',
    '0',
    '[::]',
  ])('%s', async (host) => {
    await expect(addressesOf(`http://${host}/`)).rejects.toThrow(AddressRefusedError);
  });

  it.each(['::fFFf:127.0.0.1', '000:0:0000::01', '::ffff:0a00:0001'])(
    '%s, as a resolver may return it',
    (address) => expect(isAllowed(address, [])).toBe(false),
  );
});
