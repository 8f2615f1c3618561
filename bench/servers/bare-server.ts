import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { buffer } from 'node:stream/consumers';

/**
 * The floor: answers any data with the api's response to one request. No server on Node's sockets
 * can be faster.
 */
const { API_PORT, REQUEST = '' } = process.env;
const api = connect(Number(API_PORT), '127.0.0.1');
api.write(REQUEST);
await once(api, 'readable');
api.setTimeout(500, () => api.end()); // by then the response is complete
const answer = await buffer(api);

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('data', () => socket.write(answer));
  socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ msg: 'listening', port }));
});
