import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { image } from '../../../../worker/src/test-support/images.ts';
import { httpResponse } from '../../raw-camera.ts';

const INFORMATIONAL_FLOOD = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'.repeat(20_000));

/** What servers do to a connection before they receive a request. */
export const GREETINGS: Readonly<Record<string, (socket: Socket) => void>> = {
  ssh: (socket) => void socket.write('SSH-2.0-OpenSSH_9.9\r\n'),
  smtp: (socket) => void socket.write('220 mail.example.com ESMTP ready\r\n'),
  ftp: (socket) => void socket.write('220-Welcome\r\n220 FTP server ready.\r\n'),
  mysql: (socket) => void socket.write(Buffer.from('4a0000000a382e302e3000', 'hex')),
  garbage: (socket) => void socket.write(randomBytes(2000)),
  earlyAnswer: (socket) => void socket.write(httpResponse(image('jpeg'))),
  earlyInformational: (socket) => void socket.write(INFORMATIONAL_FLOOD),
  // Node can only reset plain connections.
  reset: (socket) =>
    void (socket instanceof TLSSocket ? socket.destroy() : socket.resetAndDestroy()),
  end: (socket) => void socket.end(),
};
