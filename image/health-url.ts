import type { Env } from '@lastframe/shared/settings/config';
import { isPart, type Part } from './parts.ts';

/**
 * Returns the URL at which a container's process reports whether it can serve; undefined if it is
 * not a process of Lastframe.
 * @param command its words, of which one names the part
 */
export function healthUrl(command: readonly string[], env: Env): string | undefined {
  const part = command.find(isPart);
  return part && urlOf(part, env);
}

function urlOf(part: Part, env: Env): string {
  if (part === 'slow-server') return `http://${hostOf(env.HOST)}:${env.PORT || 8888}/livez`;
  const usual = part === 'api' ? 9088 : 9089;
  return `http://${hostOf(env.OPS_HOST)}:${env.OPS_PORT || usual}/readyz`;
}

/** A process that listens on all addresses is reached on loopback. */
function hostOf(host = ''): string {
  if (host === '' || host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
