import { Socket } from 'node:net';

/**
 * Loaded into api and worker by `NODE_OPTIONS=--import`. Logs each address that a socket is about
 * to connect to, even where no listener can be, such as 169.254.169.254.
 */
const connect = Socket.prototype.connect;

Socket.prototype.connect = function (this: Socket, ...args: unknown[]): Socket {
  this.on('connectionAttempt', (ip: string, port: number) => {
    process.stdout.write(`${JSON.stringify({ level: 'info', msg: 'connects', ip, port })}\n`);
  });
  return (connect as (...args: unknown[]) => Socket).apply(this, args);
} as typeof connect;
