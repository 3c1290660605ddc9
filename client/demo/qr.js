// QR codes: bytes, error correction M, versions 1 to 10 (213 bytes). Pure: text in, a square of 0 and 1 out.
// Source: ISO/IEC 18004; numbers of the clauses are those of the edition of 2015.

// Per version at level M: codewords of error correction in a block, then [blocks, data codewords of each]… (table 9).
const BLOCKS = [
  null, [10, [1, 16]], [16, [1, 28]], [26, [1, 44]], [18, [2, 32]], [24, [2, 43]], [16, [4, 27]],
  [18, [4, 31]], [22, [2, 38], [2, 39]], [22, [3, 36], [2, 37]], [26, [4, 43], [1, 44]],
];
const ALIGNMENT = [null, [], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50]]; // annex E
const LEVEL_M = 0; // two bits of the format information (table 12)
const MASKS = [ // table 10
  (x, y) => (x + y) % 2 === 0, (x, y) => y % 2 === 0, (x) => x % 3 === 0, (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0, (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

// ---- bytes: data, then error correction (Reed and Solomon over GF(256), polynomial 0x11D)

const EXP = new Uint8Array(512);
const LOG = new Uint8Array(256);
for (let i = 0, x = 1; i < 255; i++, x = (x << 1) ^ (x & 0x80 ? 0x11d : 0)) {
  EXP[i] = EXP[i + 255] = x;
  LOG[x] = i;
}
const times = (a, b) => (a && b ? EXP[LOG[a] + LOG[b]] : 0);

function generator(degree) {
  let poly = [1];
  for (let i = 0; i < degree; i++) {
    const next = new Array(poly.length + 1).fill(0);
    poly.forEach((c, j) => {
      next[j] ^= c;
      next[j + 1] ^= times(c, EXP[i]);
    });
    poly = next;
  }
  return poly;
}

function correction(data, degree) {
  const poly = generator(degree);
  const rest = [...data, ...new Array(degree).fill(0)];
  for (let i = 0; i < data.length; i++) {
    const factor = rest[i];
    poly.forEach((c, j) => {
      rest[i + j] ^= times(c, factor);
    });
  }
  return rest.slice(data.length);
}

const sizesOf = (version) => BLOCKS[version].slice(1).flatMap(([count, size]) => new Array(count).fill(size));
const capacityOf = (version) => sizesOf(version).reduce((a, b) => a + b, 0);

function encode(bytes, version) {
  const bits = [];
  const push = (value, n) => {
    for (let i = n - 1; i >= 0; i--) bits.push((value >> i) & 1);
  };
  push(4, 4); // byte mode
  push(bytes.length, version < 10 ? 8 : 16);
  for (const b of bytes) push(b, 8);
  const room = capacityOf(version) * 8;
  push(0, Math.min(4, room - bits.length));
  while (bits.length % 8) bits.push(0);
  for (let pad = 0xec; bits.length < room; pad ^= 0xec ^ 0x11) push(pad, 8);
  const words = [];
  for (let i = 0; i < bits.length; i += 8) words.push(parseInt(bits.slice(i, i + 8).join(''), 2));
  return words;
}

// All first words of the blocks, all second ones, …; the corrections after them in the same way (7.6).
function interleave(words, version) {
  let from = 0;
  const data = sizesOf(version).map((size) => words.slice(from, (from += size)));
  const checks = data.map((block) => correction(block, BLOCKS[version][0]));
  const out = [];
  for (const blocks of [data, checks]) {
    const longest = Math.max(...blocks.map((b) => b.length));
    for (let i = 0; i < longest; i++) for (const b of blocks) if (i < b.length) out.push(b[i]);
  }
  return out;
}

// ---- the square: rows of 0 and 1; null where data goes

function blank(version) {
  const size = 17 + 4 * version;
  const rows = Array.from({ length: size }, () => new Array(size).fill(null));
  const square = (cx, cy, radius, isDark) => {
    for (let y = -radius; y <= radius; y++) {
      for (let x = -radius; x <= radius; x++) {
        if (rows[cy + y]?.[cx + x] !== undefined) rows[cy + y][cx + x] = isDark(Math.max(Math.abs(x), Math.abs(y))) ? 1 : 0;
      }
    }
  };
  for (let i = 8; i < size - 8; i++) rows[6][i] = rows[i][6] = (i + 1) % 2;
  for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) square(x, y, 4, (d) => d !== 2 && d !== 4);
  const at = ALIGNMENT[version];
  const last = at.at(-1);
  for (const y of at) {
    for (const x of at) {
      const isFinder = (x === 6 && y === 6) || (x === 6 && y === last) || (x === last && y === 6);
      if (!isFinder) square(x, y, 2, (d) => d !== 1);
    }
  }
  return rows;
}

function remainder(value, poly, bits) {
  let rest = value << bits;
  for (let i = 31; i >= bits; i--) if ((rest >>> i) & 1) rest ^= poly << (i - bits);
  return rest;
}

// Level and mask, twice, and the one dark module (7.9); the version from 7 on (7.10).
function putFormat(rows, version, mask) {
  const size = rows.length;
  const data = (LEVEL_M << 3) | mask;
  const bits = ((data << 10) | remainder(data, 0x537, 10)) ^ 0x5412;
  for (let i = 0; i < 15; i++) {
    const bit = (bits >> i) & 1;
    rows[i < 6 ? i : i < 8 ? i + 1 : size - 15 + i][8] = bit;
    rows[8][i < 8 ? size - 1 - i : i < 9 ? 7 : 14 - i] = bit;
  }
  rows[size - 8][8] = 1;
  if (version < 7) return;
  const text = (version << 12) | remainder(version, 0x1f25, 12);
  for (let i = 0; i < 18; i++) {
    const [a, b] = [Math.floor(i / 3), size - 11 + (i % 3)];
    rows[a][b] = rows[b][a] = (text >> i) & 1;
  }
}

function putData(rows, words, mask) {
  const size = rows.length;
  let i = 0;
  let up = true;
  for (let right = size - 1; right > 0; right -= 2, up = !up) {
    if (right === 6) right = 5; // the column of the timing pattern
    for (let n = 0; n < size; n++) {
      const y = up ? size - 1 - n : n;
      for (const x of [right, right - 1]) {
        if (rows[y][x] !== null) continue;
        const bit = i < words.length * 8 ? (words[i >> 3] >> (7 - (i & 7))) & 1 : 0;
        rows[y][x] = bit ^ (MASKS[mask](x, y) ? 1 : 0);
        i++;
      }
    }
  }
}

// The four penalties of 7.8.3.
function penalty(rows) {
  const size = rows.length;
  const lines = [...rows, ...rows.map((_, x) => rows.map((row) => row[x]))];
  let sum = 0;
  let dark = 0;
  for (const line of lines) {
    const text = line.join('');
    for (const run of text.match(/0{5,}|1{5,}/g) ?? []) sum += run.length - 2;
    for (const like of ['10111010000', '00001011101']) for (let i = text.indexOf(like); i >= 0; i = text.indexOf(like, i + 1)) sum += 40;
  }
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      dark += rows[y][x];
      const c = rows[y][x];
      if (x && y && c === rows[y][x - 1] && c === rows[y - 1][x] && c === rows[y - 1][x - 1]) sum += 3;
    }
  }
  return sum + 10 * Math.floor(Math.abs((dark * 20) / (size * size) - 10));
}

// The rows of the code, from above; throws when the text has more than 213 bytes.
export function qrRows(text) {
  const bytes = new TextEncoder().encode(text);
  let version = 1;
  while (version <= 10 && bytes.length > capacityOf(version) - (version < 10 ? 2 : 3)) version++;
  if (version > 10) throw new RangeError('too long for a QR code of version 10');
  const words = interleave(encode(bytes, version), version);
  let best = null;
  for (let mask = 0; mask < 8; mask++) {
    const rows = blank(version);
    putFormat(rows, version, mask);
    putData(rows, words, mask);
    const cost = penalty(rows);
    if (!best || cost < best.cost) best = { cost, rows };
  }
  return best.rows;
}

// For the d of an SVG path in a box of size + 2 · quiet.
export function qrPath(rows, quiet = 4) {
  return rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + quiet} ${y + quiet}h1v1h-1z` : ''))).join('');
}
