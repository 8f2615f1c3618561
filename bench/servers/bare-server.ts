import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';

/**
 * The floor: writes the bytes of a file in response to any data. No server on Node's sockets can be
 * faster.
 */
const answer = readFileSync(process.env.ANSWER_FILE ?? '');
const server = createServer({ noDelay: true }, (socket) => {
  socket.on('data', () => socket.write(answer));
  socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ msg: 'listening', port }));
});
