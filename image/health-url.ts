import { isPart, type Part } from './parts.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Where the container's process says whether it can serve.
 * @param command its words, of which one names the part; undefined is given for any other process
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

/** Who listens on every address is asked on loopback. */
function hostOf(host = ''): string {
  if (host === '' || host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
