import { expect, it } from 'vitest';
import { blankSecrets } from './blank-secrets.ts';

it.each([
  ['http://cam.test/x?channel=2&size=640x480', 'http://cam.test/x?channel=2&size=640x480'],
  ['http://cam.test/x?user=me&pwd=s3cret', 'http://cam.test/x?user=…&pwd=…'],
  ['http://me:s3cret@cam.test:81/x', 'http://cam.test:81/x'],
  ['http://me:s3@cret@cam.test/x', 'http://cam.test/x'],
  ['http://cam.test/x?P%57D=s3cret&apiKey=s3cret', 'http://cam.test/x?P%57D=…&apiKey=…'],
  [
    'http://cam.test/x?usr=me&loginpas=s3cret&session=s3cret',
    'http://cam.test/x?usr=…&loginpas=…&session=…',
  ],
  ['http://cam.test/x?pwd=s3cret&s3cret2&w=1', 'http://cam.test/x?pwd=…&…&w=1'],
  ['http://cam.test/x?pwd=s3cret/s3cret2?s3cret3&w=1', 'http://cam.test/x?pwd=…/…?…&w=1'],
  ['http://cam.test/x?rs=wuuPhkmUCeI9WG7C', 'http://cam.test/x?rs=…'],
  ['http://cam.test/x?pwd=s3cret&s3cret!=&a[0]=1', 'http://cam.test/x?pwd=…&…&a[0]=1'],
  ['http://cam.test/x?pwd=', 'http://cam.test/x?pwd='],
  ['http://cam.test/user=me;password=s3cret/1.sdp', 'http://cam.test/user=…;password=…/…'],
  ['http://cam.test/share/0f8fad5bd9cb469fa16570867728950e/x.jpg', 'http://cam.test/share/…/x.jpg'],
  [
    'http://a-long-host-name-0123456789.example.com/',
    'http://a-long-host-name-0123456789.example.com/',
  ],
  ['?token=s3cret', '?token=…'],
  ['', ''],
])('%s becomes %s', (url, blanked) => {
  expect(blankSecrets(url)).toBe(blanked);
});
