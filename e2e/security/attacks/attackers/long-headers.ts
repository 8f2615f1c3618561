import { type Attack, itemForTurn, runPerSecond } from './attack.ts';
import { imageTarget, requestAndCount } from './requests.ts';

const PER_SECOND = 20;
const LENGTH = 30_000;
const many = (text: string) => text.repeat(LENGTH / text.length);

/** Long values that are slow to parse for backtracking patterns. */
const HEADERS: readonly Record<string, string>[] = [
  { prefer: `a=${many(' ')}x y` },
  { prefer: `a${many(' ')}!` },
  { prefer: many('"a') },
  { prefer: many('a=;') },
  { prefer: `a=b;${many(' ;')}"` },
  { via: many('(') },
  { via: `1.1 ${many(' ')}x` },
  { via: many('1.1 x,') },
  { range: `bytes=${many('0-1,')}` },
  { range: `bytes=${many(' ')}x` },
  { 'if-none-match': many('"a",') },
  { 'if-none-match': `${many(' ')}"` },
  { 'if-none-match': many('W/"') },
  { 'if-modified-since': `Tue, ${many(' ')}` },
  { accept: many('image/*;q=0.1,') },
  { accept: `${many(' ')}x` },
  { authorization: `Bearer ${many(' ')}x` },
  { 'x-forwarded-for': many('1.1.1.1,') },
  { 'x-forwarded-for': many('[') },
  { forwarded: many('for="') },
  { traceparent: many('00-') },
  { tracestate: many('a=b,') },
  { 'last-event-id': many('"') },
  { cookie: many('a=b;') },
];

/** Sends long headers with a valid image URL, with an unknown one, and to the ops listeners. */
export const longHeaders: Attack = ({ apis, ops, camera }, count) => {
  const targets = [imageTarget(`${camera}/public/small/1`), '/images?url=x', '/', '/openapi.json'];
  runPerSecond(PER_SECOND, (turn) =>
    requestAndCount(
      itemForTurn(apis, turn),
      itemForTurn(targets, turn >> 1),
      count,
      itemForTurn(HEADERS, turn),
    ),
  );
  runPerSecond(1, (turn) =>
    requestAndCount(itemForTurn(ops, turn), '/livez', count, itemForTurn(HEADERS, turn)),
  );
};
