import { type Attack, nth, perSecond } from './attack.ts';
import { ask, imageTarget } from './requests.ts';

const NEW_URLS_PER_SECOND = 6;
const ASKS_PER_URL = 3;

/** Asks for images of servers that greet, reset or answer before they are asked. */
export const serversThatSpeakFirst: Attack = ({ apis, greeters }, count) => {
  perSecond(NEW_URLS_PER_SECOND, async (turn) => {
    const target = imageTarget(`${nth(greeters, turn)}/public/${turn}`);
    const asks = Array.from({ length: ASKS_PER_URL }, (_, n) => ask(nth(apis, n), target, count));
    await Promise.all(asks);
  });
};
