import { type Attack, itemForTurn, runPerSecond } from './attack.ts';
import { imageTarget, requestAndCount, sendRaw } from './requests.ts';

const PER_SECOND = 10;

const HOSTS = [
  'Host: a\r\nHost: b',
  'Host: ',
  'Host: a b',
  'Host: user@a',
  'Host: a,b',
  'Host: \x01\xff',
  'Host: http://a/',
  `Host: ${'a'.repeat(20_000)}`,
  'X-No-Host: 1',
  'Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked',
  'Host: a\r\nContent-Length: 99999999',
];

const ODD_REQUESTS = [
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'POST /images HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n',
  'GET http://[::1/ HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /images?url=%zz&url= HTTP/9.9\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(200),
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
  '\0'.repeat(5000),
];

/** Sends odd `Host` headers and framing, and a different forwarded address each time. */
export const oddRequests: Attack = ({ apis, camera }, count) => {
  const target = imageTarget(`${camera}/public/small/1`);
  runPerSecond(PER_SECOND, (turn) => {
    sendRaw(
      itemForTurn(apis, turn),
      `GET ${target} HTTP/1.1\r\n${itemForTurn(HOSTS, turn)}\r\n\r\n`,
      count,
    );
  });
  runPerSecond(PER_SECOND, (turn) =>
    sendRaw(itemForTurn(apis, turn), itemForTurn(ODD_REQUESTS, turn), count),
  );
  runPerSecond(PER_SECOND, (turn) => {
    const address = `198.51.${(turn >> 8) % 256}.${turn % 256}`;
    return requestAndCount(itemForTurn(apis, turn), target, count, { 'x-forwarded-for': address });
  });
};
