import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { messageOf } from '../process/errors.ts';
import { ConfigError, type FleetConfig } from '../settings/config.ts';

/** TLS options of connections to Redis. Without `ca`, the default authorities are trusted. */
export type RedisTls = Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>;

type RedisTlsFiles = FleetConfig['redisTlsFiles'];

const NAMES = { ca: 'REDIS_CA_FILE', cert: 'REDIS_CERT_FILE', key: 'REDIS_KEY_FILE' } as const;

/**
 * Reads the files once, on startup.
 * @param urls of every Redis that the process uses
 * @throws ConfigError with every fault
 */
export function readRedisTls(files: RedisTlsFiles, urls: readonly string[]): RedisTls {
  const faults: string[] = [];
  const tls: RedisTls = {};
  for (const part of ['ca', 'cert', 'key'] as const) {
    if (files[part] === '') continue;
    try {
      tls[part] = readFileSync(files[part], 'utf8');
    } catch (error) {
      faults.push(`${NAMES[part]}: "${files[part]}" cannot be read (${messageOf(error)})`);
    }
  }
  if (!files.cert !== !files.key) {
    faults.push(
      'REDIS_CERT_FILE and REDIS_KEY_FILE: only one of them is set; expected both or none',
    );
  }
  const given = Object.values(files).some((path) => path !== '');
  if (given && !urls.some((url) => /^rediss[:+]/i.test(url))) {
    faults.push(
      'REDIS_CA_FILE, REDIS_CERT_FILE, REDIS_KEY_FILE: set, but no Redis URL begins with rediss',
    );
  }
  if (faults.length === 0) faults.push(...contentFaults(tls, files));
  if (faults.length > 0) throw new ConfigError(faults);
  return tls;
}

function contentFaults({ ca, ...own }: RedisTls, files: RedisTlsFiles): string[] {
  const faults: string[] = [];
  if (ca !== undefined && !String(ca).includes('-----BEGIN CERTIFICATE-----')) {
    faults.push(`REDIS_CA_FILE: "${files.ca}" contains no certificate; expected a PEM file`);
  }
  try {
    createSecureContext(own);
  } catch (error) {
    const pair = `"${files.cert}" and "${files.key}"`;
    faults.push(
      `REDIS_CERT_FILE and REDIS_KEY_FILE: ${pair} are not a certificate and its key (${messageOf(error)})`,
    );
  }
  return faults;
}
