// The QR codes of the host's view, read back by another program's decoder, and one of them bit by bit.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { test } from 'node:test';
import jsqr from 'jsqr';
import { qrPath, qrRows } from '../../client/demo/qr.js';

const SCALE = 4;
const QUIET = 4;

// Paints the path that the page draws, module by module.
function decode(rows) {
  const side = (rows.length + 2 * QUIET) * SCALE;
  const pixels = new Uint8ClampedArray(side * side * 4).fill(255);
  for (const [, x, y] of qrPath(rows, QUIET).matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    for (let a = 0; a < SCALE; a++) for (let b = 0; b < SCALE; b++) pixels.fill(0, ((y * SCALE + a) * side + x * SCALE + b) * 4, ((y * SCALE + a) * side + x * SCALE + b) * 4 + 3);
  }
  return jsqr(pixels, side, side);
}

const textOf = (n) => Array.from({ length: n }, (_, i) => 'abcdefghij:/?=0123456789-'[(i * 7 + n) % 25]).join('');

test('texts of every length up to 213 bytes are read as they are', () => {
  for (let n = 1; n <= 213; n++) assert.equal(decode(qrRows(textOf(n)))?.data, textOf(n), `${n} bytes`);
});

test('each version is the smallest one that fits, and has its size', () => {
  const largest = [14, 26, 42, 62, 84, 106, 122, 152, 180, 213]; // bytes at level M, versions 1 to 10 (ISO/IEC 18004, table 7)
  for (const [i, n] of largest.entries()) {
    assert.equal(qrRows(textOf(n)).length, 21 + 4 * i);
    assert.equal(decode(qrRows(textOf(n))).version, i + 1);
  }
  assert.throws(() => qrRows(textOf(214)), RangeError);
});

test('other letters are UTF-8', () => {
  for (const text of ['Muraho, Zoë', 'ingoma 🥁', 'http://[::1]:3001/?pin=4711081512']) assert.equal(decode(qrRows(text)).data, text);
});

test('bit by bit as the npm package qrcode 1.5.4 makes it', () => {
  const bits = qrRows('http://localhost:3001/?pin=4711081512').map((row) => row.join('')).join('\n');
  assert.equal(crypto.createHash('sha256').update(bits).digest('hex'), 'c6ce413ccacd8ae2acfd96d701e196abb7bf0eb308c35837366e914555218792');
});
