// Pixels of a picture that Chromium took: 8 bits a channel, RGB or RGBA, not interlaced (PNG, third edition).
import assert from 'node:assert/strict';
import zlib from 'node:zlib';

function unfilter(kind, row, above, step) {
  for (let i = 0; i < row.length; i++) {
    const a = i >= step ? row[i - step] : 0;
    const b = above[i];
    const c = i >= step ? above[i - step] : 0;
    const near = [a, b, c].reduce((best, v) => (Math.abs(a + b - c - v) < Math.abs(a + b - c - best) ? v : best), a);
    row[i] += [0, a, b, (a + b) >> 1, near][kind];
  }
}

export const PNG = {
  // → {width, height, data: RGBA}
  read(file) {
    const parts = [];
    let [width, height, step] = [0, 0, 0];
    for (let at = 8; at < file.length; at += 12 + file.readUInt32BE(at)) {
      const body = file.subarray(at + 8, at + 8 + file.readUInt32BE(at));
      const type = file.toString('latin1', at + 4, at + 8);
      if (type === 'IHDR') {
        [width, height, step] = [body.readUInt32BE(0), body.readUInt32BE(4), { 2: 3, 6: 4 }[body[9]]];
        assert.deepEqual([body[8], body[12]], [8, 0]);
      } else if (type === 'IDAT') parts.push(body);
    }
    const raw = zlib.inflateSync(Buffer.concat(parts));
    const data = new Uint8ClampedArray(width * height * 4).fill(255);
    let above = new Uint8Array(width * step);
    for (let y = 0; y < height; y++) {
      const from = y * (width * step + 1);
      const row = Uint8Array.from(raw.subarray(from + 1, from + 1 + width * step));
      unfilter(raw[from], row, above, step);
      for (let x = 0; x < width; x++) for (let c = 0; c < step; c++) data[(y * width + x) * 4 + c] = row[x * step + c];
      above = row;
    }
    return { width, height, data };
  },
};
