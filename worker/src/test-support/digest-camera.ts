import { createHash } from 'node:crypto';

/** The fields of an `Authorization: Digest`, read without the product's parser. */
export function digestFields(authorization: string | undefined): Record<string, string> {
  const fields = (authorization ?? '').matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g);
  return Object.fromEntries([...fields].map(([, name, quoted, plain]) => [name, quoted ?? plain]));
}

/** Returns whether an MD5 digest with `qop=auth` is right for the user `me`. */
export function isRightDigest(authorization: string | undefined, password: string): boolean {
  const { realm, nonce, nc, cnonce, uri, response } = digestFields(authorization);
  const h = (text: string) => createHash('md5').update(text).digest('hex');
  const proof = [h(`me:${realm}:${password}`), nonce, nc, cnonce, 'auth', h(`GET:${uri}`)];
  return response === h(proof.join(':'));
}
