import { type Attack, nth, perSecond } from './attack.ts';
import { ask, imageTarget } from './requests.ts';

const ODD_PER_SECOND = 2;
const ODD_KINDS = ['status-000', 'one-byte-chunks', 'informational'];
/** Together more than the bodies that two workers have room for. */
const HELD_AT_ONCE = 70;
const BURST_EVERY_S = 10;
const MISBEHAVIOURS = ['endless', 'drip', 'truncated', 'gzip', 'empty', 'html'];

/** Answers that cost a worker CPU, or hold its memory for bodies until their deadline. */
export const hostileBodies: Attack = ({ apis, camera, slowServer }, count) => {
  perSecond(ODD_PER_SECOND, (turn) =>
    ask(nth(apis, turn), imageTarget(`${camera}/public/${nth(ODD_KINDS, turn)}/${turn}`), count),
  );
  perSecond(1 / BURST_EVERY_S, async (turn) => {
    const burst = Array.from({ length: HELD_AT_ONCE }, (_, n) =>
      ask(nth(apis, n), imageTarget(`${camera}/public/held/${turn}-${n}`), count),
    );
    await Promise.all(burst);
  });
  perSecond(1, (turn) => {
    const kind = nth(MISBEHAVIOURS, turn);
    const url = `${slowServer}/image/${kind}-${turn % 30}?size=64x36&as=${kind}`;
    return ask(nth(apis, turn), imageTarget(url), count);
  });
};
