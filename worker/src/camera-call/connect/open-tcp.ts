import { connect, type LookupFunction, type Socket } from 'node:net';
import type { Source } from '@lastframe/shared/cameras/source';
import { untilEvent } from '../socket-waits.ts';
import type { Address } from './address-guard.ts';
import type { Endpoint } from './endpoint.ts';

/** Connects to one of the addresses. @throws an error of the socket, or the signal's reason */
export async function openTcp(
  { host, port }: Pick<Endpoint, 'host' | 'port'>,
  addresses: readonly Address[],
  source: Pick<Source, 'startAllowanceMs'>,
  signal: AbortSignal,
): Promise<Socket> {
  const tcp = connect({
    host,
    port,
    lookup: lookupAmong(addresses),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: attemptMs(source, addresses.length),
    noDelay: true,
  });
  await untilEvent(tcp, 'connect', signal);
  return tcp;
}

/**
 * Returns how long each address but the last is tried. Node's own 250 ms are too short for a camera
 * behind a slow link that has two addresses: neither would ever get an answer.
 */
export function attemptMs(source: Pick<Source, 'startAllowanceMs'>, addressCount: number): number {
  return Math.max(250, Math.floor(source.startAllowanceMs / (addressCount + 1)));
}

/** Resolves to the addresses that were checked, whatever DNS returns by now. */
function lookupAmong(addresses: readonly Address[]): LookupFunction {
  return (_host, options, callback) => {
    if (options.all) callback(null, [...addresses]);
    else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
  };
}
