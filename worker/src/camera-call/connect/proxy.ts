import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Network, OutgoingProxy, Source } from '@lastframe/shared/cameras/source';
import ipaddr from 'ipaddr.js';
import type { Explanation } from '../explanation.ts';
import { createHeadReader } from '../response/head.ts';
import { unlessAborted, untilEvent } from '../socket-waits.ts';
import { AddressRefusedError, allowedAddresses, isAllowed } from './address-guard.ts';
import type { ConnectSteps } from './connect-steps.ts';
import { type Endpoint, endpointOf } from './endpoint.ts';
import { openTcp } from './open-tcp.ts';

/** The proxy of a source failed, or refused the connection. */
export class ProxyError extends Error implements Explanation {
  readonly reason: string;
  readonly error: string;

  constructor(reason: string, error: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'ProxyError';
    this.reason = reason;
    this.error = error;
  }
}

/** The operator chose the proxy, so it may have any address. */
const EVERYWHERE: Network[] = [ipaddr.parseCIDR('0.0.0.0/0'), ipaddr.parseCIDR('::/0')];

/**
 * Connects to the proxy, and for https through it to the camera. Only the proxy resolves the
 * camera's name and can check its address; an address in the URL is checked here.
 * @throws AddressRefusedError, ProxyError, or the signal's reason
 */
export async function connectThroughProxy(
  proxy: OutgoingProxy,
  target: Endpoint,
  source: Source,
  { signal, steps }: { signal: AbortSignal; steps: Pick<ConnectSteps, 'begin'> },
): Promise<Socket> {
  checkAddress(target.host, source.networks);
  const { host, port, isTls } = endpointOf(proxy.url);
  let socket: Socket | undefined;
  try {
    steps.begin('proxy');
    const addresses = await unlessAborted(allowedAddresses(host, EVERYWHERE), signal);
    socket = await openTcp({ host, port }, addresses, source, signal);
    if (isTls) {
      socket = connectTls({ host, servername: ipaddr.isValid(host) ? '' : host, socket });
      await untilEvent(socket, 'secureConnect', signal);
    }
    if (target.isTls) await openTunnel(socket, target, proxy, signal);
    return socket;
  } catch (error) {
    socket?.destroy();
    signal.throwIfAborted();
    throw error instanceof ProxyError ? error : unreachable(error);
  }
}

function checkAddress(host: string, networks: readonly Network[]): void {
  const address = /(^|\.)localhost$/.test(host) ? '127.0.0.1' : host;
  if (ipaddr.isValid(address) && !isAllowed(address, networks)) throw new AddressRefusedError(host);
}

function unreachable(error: unknown): ProxyError {
  const { code } = error as NodeJS.ErrnoException;
  const why = code === undefined ? '' : ` (${code})`;
  const reason = `no connection to the proxy of the camera's source${why}`;
  return new ProxyError(reason, 'proxy_internal_error', { cause: error });
}

/** Requests a connection to the camera (RFC 9110 9.3.6). */
async function openTunnel(
  socket: Socket,
  { host, port }: Endpoint,
  { authorization }: OutgoingProxy,
  signal: AbortSignal,
): Promise<void> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const login = authorization === undefined ? '' : `Proxy-Authorization: ${authorization}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${login}\r\n`, 'latin1');
  const heads = createHeadReader();
  const { promise: head, resolve, reject } = Promise.withResolvers<number>();
  const read = (piece: Buffer) => {
    const result = heads.read(piece);
    if (result.state === 'invalid') reject(new ProxyError(NO_PROXY, 'proxy_internal_response'));
    if (result.state !== 'whole') return;
    const { head: found, rest } = result;
    if (found.statusCode >= 100 && found.statusCode < 200) read(rest);
    else resolve(found.statusCode);
  };
  const hangUp = () => reject(new ProxyError(NO_PROXY, 'proxy_internal_response'));
  socket.on('data', read).once('close', hangUp);
  try {
    const status = await unlessAborted(head, signal);
    if (status < 200 || status > 299) throw refusal(status);
  } finally {
    socket.off('data', read).off('close', hangUp).pause();
  }
}

const NO_PROXY =
  "the proxy of the camera's source did not answer like an HTTP proxy; is its URL right?";

function refusal(status: number): ProxyError {
  const reason =
    status === 407
      ? "the proxy of the camera's source wants a user name and password: http://user:password@…"
      : `the proxy of the camera's source refused to connect to the camera (${status})`;
  return new ProxyError(reason, 'proxy_configuration_error');
}
