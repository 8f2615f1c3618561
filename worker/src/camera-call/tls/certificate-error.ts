import type { SourceTls } from '@lastframe/shared/cameras/source';
import { messageOf } from '@lastframe/shared/process/errors';

/** Says what is wrong with the camera's certificate; undefined for any other error. */
export function explainCertificateError(error: unknown, tls: SourceTls): string | undefined {
  const code = String((error as NodeJS.ErrnoException)?.code ?? '');
  const reasonFor = REASONS[code];
  if (reasonFor) return reasonFor(tls);
  if (!OTHER_CODES.test(code)) return undefined;
  // OpenSSL has more errors than Node has codes.
  return /too (weak|small)/.test(messageOf(error)) ? tooWeak(tls) : ONLY_INSECURE;
}

const ONLY_INSECURE =
  "the camera's certificate breaks the rules for servers; only tls.insecure accepts it";

const selfSigned = ({ ca }: SourceTls) =>
  ca === undefined
    ? "the camera's certificate is self-signed; put it into tls.ca to trust it"
    : "the camera's self-signed certificate is not the one in tls.ca; has the camera made a new one?";

const unknownAuthority = ({ ca }: SourceTls) =>
  ca === undefined
    ? "the camera's certificate was issued by an unknown authority; put the authority's certificate into tls.ca"
    : "the camera's certificate was not issued by an authority in tls.ca";

const notIssuedByCa =
  "the camera's certificate was not issued by one in tls.ca, or its chain is incomplete; add the missing certificate to tls.ca";

const unknownIssuer = (tls: SourceTls) =>
  tls.ca === undefined ? unknownAuthority(tls) : notIssuedByCa;

const incomplete = ({ ca }: SourceTls) =>
  ca === undefined
    ? "the camera's certificate chain is incomplete; put the certificate that issued the camera's into tls.ca"
    : notIssuedByCa;

const otherName = ({ servername }: SourceTls) =>
  servername
    ? "the camera's certificate does not have the name in tls.servername"
    : "the camera's certificate is for another name; set tls.servername to a name that it has";

const tooWeak = ({ legacy }: SourceTls) =>
  legacy
    ? "the camera's certificate has too weak a key or signature; only tls.insecure accepts it"
    : "the camera's certificate has too weak a key or signature; tls.legacy accepts it";

const REASONS: Record<string, (tls: SourceTls) => string> = {
  CERT_HAS_EXPIRED: () =>
    "the camera's certificate, or the authority's, has expired; renew it, as only tls.insecure accepts it",
  CERT_NOT_YET_VALID: () =>
    "the camera's certificate is not valid yet; check the clocks, as only tls.insecure accepts it",
  CERT_REVOKED: () =>
    "the camera's certificate has been revoked; renew it, as only tls.insecure accepts it",
  DEPTH_ZERO_SELF_SIGNED_CERT: selfSigned,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownIssuer,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: incomplete,
  ERR_TLS_CERT_ALTNAME_INVALID: otherName,
  HOSTNAME_MISMATCH: otherName,
};

const OTHER_CODES =
  /^(UNSPECIFIED|ERR_TLS_CERT_ALTNAME_FORMAT|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED|ERROR_IN_(CERT|CRL)_\w+|(CERT|CRL|UNABLE)_\w+)$/;
