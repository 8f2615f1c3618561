import { type Attack, nth, perSecond } from './attack.ts';
import { ask, imageTarget } from './requests.ts';

const NEW_URLS_PER_SECOND = 12;

/** Asks for cameras of a digest source that demand it in texts which are slow to parse. */
export const digestChallenges: Attack = ({ apis, camera }, count) => {
  perSecond(NEW_URLS_PER_SECOND, (turn) =>
    ask(nth(apis, turn), imageTarget(`${camera}/digest/${turn}`), count),
  );
};
