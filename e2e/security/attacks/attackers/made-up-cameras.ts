import { type Attack, itemForTurn, runPerSecond } from './attack.ts';
import { imageTarget, requestAndCount } from './requests.ts';

const LARGE_PER_SECOND = 5;
const MISSING_PER_SECOND = 15;

/** Requests new URLs of an allowed pattern: large frames that fill Redis, and failing cameras. */
export const madeUpCameras: Attack = ({ apis, camera }, count) => {
  runPerSecond(LARGE_PER_SECOND, (turn) =>
    requestAndCount(itemForTurn(apis, turn), imageTarget(`${camera}/public/large/${turn}`), count),
  );
  runPerSecond(MISSING_PER_SECOND, (turn) =>
    requestAndCount(
      itemForTurn(apis, turn),
      imageTarget(`${camera}/public/missing/${turn}`),
      count,
    ),
  );
};
