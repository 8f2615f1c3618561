/** `localhost.` is `localhost`. Not by regex: `/\.+$/` takes quadratic time for `...x`. */
export function withoutTrailingDots(host: string): string {
  let end = host.length;
  while (host[end - 1] === '.') end -= 1;
  return host.slice(0, end);
}

/** `[::1]` is `::1`. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
