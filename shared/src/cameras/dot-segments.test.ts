import { describe, expect, it } from 'vitest';
import { testDefaults } from '../../../testing/test-camera.ts';
import { ProblemError } from '../process/errors.ts';
import { parseCameraUrl } from './camera.ts';
import { findCamera } from './rules.ts';
import { sourcesFromPatterns } from './source.ts';

const sources = sourcesFromPatterns(['http://cam.test/live/*'], testDefaults);

function outcomeOf(path: string): string | number {
  try {
    return findCamera(`http://cam.test${path}`, sources).url;
  } catch (error) {
    if (error instanceof ProblemError) return error.problem.status;
    throw error;
  }
}

describe('no URL leads a camera out of the folder of its pattern', () => {
  it.each([
    ...['/live/..%3fx', '/live/..%23x', '/live/..%253fx', '/live/..%e2%82%a9x', '/live/..%c2%a5x'],
    ...['/live/..%2fadmin', '/live/..%2Fadmin', '/live/..%5cadmin', '/live/..%5Cadmin'],
    ...['/live/%2e%2e%2fadmin', '/live/.%2e%2fadmin', '/live/x%2f..%2f..%2fadmin', '/live/..%2f'],
    ...['/live/..;/admin', '/live/..;a=b/admin', '/live/.;x/..;y/admin', '/live/..%3b/admin'],
    ...['/live/..;', '/live/%2e%2e;', '/live/.;/admin'],
    ...['/live/%252e%252e/admin', '/live/..%252fadmin', '/live/%25252e%25252e%25252fadmin'],
    ...['/live/%25%32%65%25%32%65/admin', '/live/..%25%32%66admin', '/live/..%2%35%32%66admin'],
    ...['/live/.../admin', '/live/..../admin', '/live/...%2fadmin'],
    ...['/live/..%00/admin', '/live/..%00.jpg', '/live/..%0d/admin', '/live/..%0a/admin'],
    ...['/live/.%0d./admin', '/live/.%09./admin', '/live/a%00.jpg', '/live/a%7f', '/live/%2500'],
    ...['/live/..%20/admin', '/live/..%20./admin', '/live/%20../admin', '/live/..%c2%a0/admin'],
    ...['/live/.%e2%80%8b./admin', '/live/.%c2%ad./admin', '/live/%ef%bb%bf../admin'],
    ...['/live/..%c0%afadmin', '/live/%c0%ae%c0%ae/admin', '/live/..%e0%80%afadmin'],
    ...['/live/..%f0%80%80%afadmin', '/live/..%c1%9cadmin', '/live/..%25c0%25afadmin'],
    ...['/live/%25u002e%25u002e/admin', '/live/..%25u002fadmin', '/live/..%25u2215admin'],
    ...['/live/\uff0e\uff0e/admin', '/live/%ef%bc%8e%ef%bc%8e/admin', '/live/\u2025/admin'],
    ...['/live/..\uff0fadmin', '/live/..\u2215admin', '/live/..\u2044admin', '/live/..\uff3cadmin'],
    ...['/live/\ufe52\ufe52/admin', '/live/\u2024\u2024/admin', '/live/\u2026/admin'],
    ...['/live/..\uff052fadmin', '/live/..\uff1b/admin', '/live/..\u037e/admin'],
  ])('%s is rejected', (path) => expect(outcomeOf(path)).toBe(400));

  it.each([
    ['/live/../admin', 403],
    ['/live/%2e%2e/admin', 403],
    ['/live/.%2E/admin', 403],
    ['/live/..\\admin', 400],
    ['/live/..%u002fadmin', 400],
    ['/live/..\tadmin', 400],
  ])('%s is rejected with %i', (path, status) => expect(outcomeOf(path)).toBe(status));

  it.each([
    '/live/a.jpg',
    '/live/..a',
    '/live/a..',
    '/live/a...b/c',
    '/live/.hidden',
    '/live/a%2Fb',
    '/live/a;size=1/b;c',
    '/live/a%20b',
    '/live/100%25',
    '/live/100%25..',
    '/live/%C3%BC',
    '/live/caf%E9',
    '/live/%80%C0',
    '/live/%E3%82%AB%E3%83%A1%E3%83%A9.jpg',
    '/live/a?file=../../b',
    '/live/a?file=..%2F..%2Fb%00',
    '/live/a?x=..;/b',
  ])('%s is called unchanged', (path) => expect(outcomeOf(path)).toBe(`http://cam.test${path}`));

  it('says what is wrong', () => {
    const ask = (path: string) => () => parseCameraUrl(`http://cam.test/${path}`);
    expect(ask('..%2f')).toThrow('url has an encoded dot segment in its path; leave it out');
    expect(ask('a%00')).toThrow('url has an encoded control character in its path; leave it out');
  });
});
