import { expect, it } from 'vitest';
import { rejectOwnUrl } from './own-url.ts';

const reject = (url: string, host?: string) => () => rejectOwnUrl(url, host);

it.each([
  ['http://cams.test/images?url=http://cam.test/i', 'cams.test'],
  ['http://CAMS.test:80/images?url=http%3A%2F%2Fcam.test%2Fi', 'cams.test'],
  ['https://cams.test/below/images?a=b&url=x', 'Cams.test:443'],
  ['http://[::1]:8088/images?url=x', '[::1]:8088'],
])('%s at %s is rejected', (url, host) => expect(reject(url, host)).toThrow(/of this Lastframe/));

it.each([
  ['http://other.test/images?url=x', 'cams.test'],
  ['http://cams.test:81/images?url=x', 'cams.test'],
  ['http://cams.test/images/a.jpg?url=x', 'cams.test'],
  ['http://cams.test/images?id=1', 'cams.test'],
  ['http://undefined/images?url=x', undefined],
  ['http://cams.test/images?url=x', 'a b'],
  ['nonsense', 'cams.test'],
])('%s at %s may be a camera', (url, host) => expect(reject(url, host)).not.toThrow());
