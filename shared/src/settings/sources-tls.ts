import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { type SourceTls, TLS_VERSIONS } from '../cameras/source.ts';
import { textOf } from './value-types.ts';

const CA_EXPECTED = 'PEM text or the path of a PEM file';
const SERVERNAME_EXPECTED = 'a name that the certificate has, or an empty text to send no name';

/** The `tls` of a source in `SOURCES_FILE`. */
export const tlsSchema = z
  .strictObject(
    {
      ca: z.string(CA_EXPECTED).optional(),
      insecure: z.boolean('true or false').optional(),
      minVersion: z.enum(TLS_VERSIONS, 'TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3').optional(),
      legacy: z.boolean('true or false').optional(),
      servername: textOf(SERVERNAME_EXPECTED, (text) =>
        /^[^\x00-\x1f\x7f]{0,253}$/.test(text) ? text : undefined,
      ).optional(),
    },
    'a mapping with ca, insecure, minVersion, legacy or servername',
  )
  .refine(
    ({ ca, insecure }) => ca === undefined || !insecure,
    'ca or insecure: true, not both: without a check, no ca is used',
  );

/** Returns the `tls` of a source. @throws an Error that says what is wrong with `ca` */
export function readTls(
  { ca, insecure, minVersion, legacy, servername }: z.infer<typeof tlsSchema>,
  readCertificate: (path: string) => string,
): SourceTls {
  return {
    ...(ca !== undefined && { ca: readCertificates(ca, readCertificate) }),
    ...(insecure && { insecure }),
    ...(minVersion && { minVersion }),
    ...(legacy && { legacy }),
    ...(servername !== undefined && { servername }),
  };
}

const CERTIFICATE =
  /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[A-Za-z0-9+/=\s]*-----END \1-----/g;

/** OpenSSL would skip what follows a damaged certificate, so each one is checked. */
function readCertificates(ca: string, readCertificate: (path: string) => string): string {
  const text = ca.includes('-----BEGIN') ? ca : readFile(ca, readCertificate);
  const found = text.match(CERTIFICATE) ?? [];
  const begun = text.match(/-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----/g) ?? [];
  if (begun.length === 0) throw new Error('it contains no certificate in PEM form');
  const damaged = found.findIndex((pem) => !isCertificate(pem));
  if (damaged >= 0) throw new Error(`certificate ${damaged + 1} is damaged`);
  if (found.length < begun.length) throw new Error('a certificate is damaged');
  return found.join('\n');
}

function readFile(path: string, readCertificate: (path: string) => string): string {
  try {
    return readCertificate(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new Error(`no certificate could be read (${code})`, { cause: error });
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
