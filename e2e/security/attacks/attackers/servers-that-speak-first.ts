import { type Attack, itemForTurn, runPerSecond } from './attack.ts';
import { imageTarget, requestAndCount } from './requests.ts';

const NEW_URLS_PER_SECOND = 6;
const ASKS_PER_URL = 3;

/** Requests images from servers that greet, reset or respond before they receive a request. */
export const serversThatSpeakFirst: Attack = ({ apis, greeters }, count) => {
  runPerSecond(NEW_URLS_PER_SECOND, async (turn) => {
    const target = imageTarget(`${itemForTurn(greeters, turn)}/public/${turn}`);
    const asks = Array.from({ length: ASKS_PER_URL }, (_, n) =>
      requestAndCount(itemForTurn(apis, n), target, count),
    );
    await Promise.all(asks);
  });
};
