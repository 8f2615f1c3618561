/** Returns whether a request has already passed the proxy of this name (RFC 9110 7.6.3). */
export function hasPassedProxy(via: string | undefined, pseudonym: string | undefined): boolean {
  if (via === undefined || pseudonym === undefined) return false;
  const withoutComments = via.replace(/\([^()]*\)/g, ' ');
  return withoutComments.split(',').some((hop) => {
    const [, receivedBy] = hop.trim().split(/\s+/);
    return receivedBy?.toLowerCase() === pseudonym.toLowerCase();
  });
}
