import { withoutBrackets } from '@lastframe/shared/cameras/host-name';

/** Where to connect for a URL. */
export interface Endpoint {
  /** A name, or an address without brackets. */
  host: string;
  port: number;
  isTls: boolean;
}

export function endpointOf({ protocol, hostname, port }: URL): Endpoint {
  const isTls = protocol === 'https:';
  return { host: withoutBrackets(hostname), port: Number(port) || (isTls ? 443 : 80), isTls };
}
