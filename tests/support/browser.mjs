// Pages of the demo in Chromium, as people use it: signed in, on a chosen node, each act waited for by what it shows.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { until } from './cluster.mjs';

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];
export const DESKTOP = { width: 1180, height: 760 };
export const PHONE = { width: 360, height: 740 };
export const TALL_PHONE = { width: 390, height: 844 };
export const WAIT = { timeout: 60000 };
// What a page may write when its node goes away in the middle of a request; anything else is a problem.
export const LOST_NODE = /WebSocket connection|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED|400|503/;

// startBrowser(url) → {open, problems, close}; problems: what any page wrote to its console, threw, or was refused by its policy.
export async function startBrowser(url) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', headless: true, args: ARGS });
  const problems = [];
  const open = async (viewport, colorScheme = 'light', { path = '', reducedMotion = 'no-preference', scale = 2 } = {}) => {
    const context = await browser.newContext({ viewport, colorScheme, reducedMotion, deviceScaleFactor: scale, locale: 'en-GB' });
    const page = await context.newPage();
    page.on('console', (m) => ['error', 'warning'].includes(m.type()) && problems.push(m.text()));
    page.on('pageerror', (e) => problems.push(String(e)));
    await page.addInitScript(() => document.addEventListener('securitypolicyviolation', (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`)));
    await page.goto(url + path);
    return page;
  };
  return { open, problems, close: () => browser.close() };
}

// Upgraded: a page that closes while polling is missed only when its heartbeat is.
export async function nodeOf(page) {
  await page.waitForSelector('body[data-state="on"] #transport:text("WebSocket")', { ...WAIT, state: 'attached' });
  return page.getAttribute('#status', 'data-node');
}

// Through the door: to 'room', 'people' or 'host'. → id of the node.
export async function enter(page, name, to = 'room', room = 'lobby') {
  await page.fill('#name', name);
  await page.fill('#room', room);
  await page.click(to === 'room' ? '#enter' : `[data-to="${to}"]`);
  return nodeOf(page);
}

// A page whose socket is on a node that fits: the kernel deals connections out, so it takes a few tries. begin: opens a page.
export async function openOn(fits, begin, come) {
  for (let i = 0; i < 40; i++) {
    const page = await begin();
    const node = await come(page);
    if (fits(node)) return [page, node];
    await page.context().close();
  }
  throw new Error('forty connections in a row met the wrong node');
}

export async function say(page, text) {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}

export const hears = (page, text) => page.waitForSelector(`#messages .message:has-text("${text}")`, WAIT);
export const textOf = async (page, selector) => ((await page.locator(selector).first().textContent({ timeout: 60000 })) ?? '').trim();
export const isFlat = (page) => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth &&
  [...document.querySelectorAll('.stage:not([hidden]), .folk, .scroll')].every((m) => m.scrollWidth <= m.clientWidth + 1));

export async function untilText(page, selector, want) {
  await until(`${selector} to be ${want}`, async () => {
    const node = page.locator(selector).first();
    const text = (await node.count()) ? ((await node.textContent()) ?? '').trim() : null;
    return want instanceof RegExp ? text !== null && want.test(text) : text === want;
  }, 60000);
}

// ---- a quiz

// The host opens a lobby of the n-th quiz. → its PIN.
export async function openLobby(page, n = 0) {
  await page.click(`label[for="quiz-${n}"]`);
  await page.click('#open-lobby');
  const pin = await page.getAttribute('#pin', 'data-pin', WAIT);
  assert.match(pin, /^\d{10}$/);
  return pin;
}

// A player without an account, by the link of the QR code. → id of the node.
export async function joinGame(page, name) {
  await page.fill('#player', name);
  await page.click('#play-go');
  await page.waitForSelector('#play-seat', WAIT);
  return nodeOf(page);
}

export const tap = (page, text) => page.click(`#play .tile:has-text("${text}")`, WAIT);
