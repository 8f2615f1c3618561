import { type Attack, itemForTurn, runPerSecond } from './attack.ts';
import { imageTarget, requestAndCount } from './requests.ts';

const NEW_URLS_PER_SECOND = 12;

/** Requests cameras of a digest source whose challenges are slow to parse. */
export const digestChallenges: Attack = ({ apis, camera }, count) => {
  runPerSecond(NEW_URLS_PER_SECOND, (turn) =>
    requestAndCount(itemForTurn(apis, turn), imageTarget(`${camera}/digest/${turn}`), count),
  );
};
