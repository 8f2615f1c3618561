import { type Attack, itemForTurn, runPerSecond } from './attack.ts';
import { requestAndCount } from './requests.ts';

const PER_SECOND = 4;
const LENGTH = 2500;

/** Paths on which a pattern with several wildcards may try every possible match. */
const PATHS = ['/', '/a', '/.jp', '.jpg', '//x'].map((text) => text.repeat(LENGTH / text.length));

/** Requests URLs with thousands of slashes, for the source whose pattern has three wildcards. */
export const manySlashes: Attack = ({ apis, camera }, count) => {
  runPerSecond(PER_SECOND, (turn) => {
    // A query may contain plain slashes, and more of them fit than escaped ones.
    const url = `${camera}/${itemForTurn(PATHS, turn)}${turn}`;
    return requestAndCount(itemForTurn(apis, turn), `/images?url=${url}`, count);
  });
};
