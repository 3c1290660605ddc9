// Chance that can be repeated: SEED=n. random(seed)(below) is a whole number from 0 to below - 1 (mulberry32).
export const SEED = Number(process.env.SEED ?? Date.now() % 1000000);
// How long a test by chance goes on: SECONDS=n, or LONG=1 for two minutes.
export const SECONDS = Number(process.env.SECONDS ?? (process.env.LONG === '1' ? 120 : 12));

export function random(seed) {
  let a = seed >>> 0;
  return (below) => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
