import { type Attack, itemForTurn, runPerSecond } from './attack.ts';
import { imageTarget, requestAndCount } from './requests.ts';

const ODD_PER_SECOND = 2;
const ODD_KINDS = ['status-000', 'one-byte-chunks', 'informational'];
/** Together more bodies than two workers have room for. */
const HELD_AT_ONCE = 70;
const BURST_EVERY_S = 10;
const MISBEHAVIOURS = ['endless', 'drip', 'truncated', 'gzip', 'empty', 'html'];

/** Requests bodies that cost a worker CPU, or hold its memory until their deadline. */
export const hostileBodies: Attack = ({ apis, camera, slowServer }, count) => {
  runPerSecond(ODD_PER_SECOND, (turn) =>
    requestAndCount(
      itemForTurn(apis, turn),
      imageTarget(`${camera}/public/${itemForTurn(ODD_KINDS, turn)}/${turn}`),
      count,
    ),
  );
  runPerSecond(1 / BURST_EVERY_S, async (turn) => {
    const burst = Array.from({ length: HELD_AT_ONCE }, (_, n) =>
      requestAndCount(
        itemForTurn(apis, n),
        imageTarget(`${camera}/public/held/${turn}-${n}`),
        count,
      ),
    );
    await Promise.all(burst);
  });
  runPerSecond(1, (turn) => {
    const kind = itemForTurn(MISBEHAVIOURS, turn);
    const url = `${slowServer}/image/${kind}-${turn % 30}?size=64x36&as=${kind}`;
    return requestAndCount(itemForTurn(apis, turn), imageTarget(url), count);
  });
};
