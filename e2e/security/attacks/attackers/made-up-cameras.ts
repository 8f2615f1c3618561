import { type Attack, nth, perSecond } from './attack.ts';
import { ask, imageTarget } from './requests.ts';

const LARGE_PER_SECOND = 5;
const MISSING_PER_SECOND = 15;

/** New URLs under an allowed pattern: large frames that fill Redis, and cameras that fail. */
export const madeUpCameras: Attack = ({ apis, camera }, count) => {
  perSecond(LARGE_PER_SECOND, (turn) =>
    ask(nth(apis, turn), imageTarget(`${camera}/public/large/${turn}`), count),
  );
  perSecond(MISSING_PER_SECOND, (turn) =>
    ask(nth(apis, turn), imageTarget(`${camera}/public/missing/${turn}`), count),
  );
};
