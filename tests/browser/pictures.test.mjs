// The pictures of docs/images, made from the running page:
//   UPDATE_SCREENSHOTS=1 node --test tests/browser/pictures.test.mjs
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { DESKTOP, enter, hears, joinGame, nodeOf, openLobby, openOn, PHONE, say, startBrowser, tap, TALL_PHONE, untilText, WAIT } from '../support/browser.mjs';
import { ROOT, startCluster, stopAll, until } from '../support/cluster.mjs';

const HALL = { width: 1280, height: 800 };
const skip = process.env.UPDATE_SCREENSHOTS ? false : 'UPDATE_SCREENSHOTS=1 makes the pictures';
const folder = process.env.SCREENSHOTS || path.join(ROOT, 'docs/images');
let cluster;
let browser;

before(async () => {
  if (skip) return;
  cluster = await startCluster({ nodes: 2, demo: true });
  browser = await startBrowser(cluster.url);
});

after(async () => {
  await browser?.close();
  await stopAll();
});

// Animations are shown at their end; what runs for ever stands still.
async function shoot(page, name) {
  await page.mouse.move(0, 0);
  await page.evaluate(() => Promise.all(document.getAnimations().filter((a) => a.effect.getTiming().iterations !== Infinity).map((a) => a.finished.catch(() => {}))));
  await page.screenshot({ path: path.join(folder, `${name}.png`), animations: 'disabled' });
}

test('a room', { skip, timeout: 120000 }, async () => {
  const ann = await browser.open(DESKTOP);
  const node = await enter(ann, 'Aline', 'room', 'market day');
  const phone = await browser.open(PHONE, 'dark');
  await enter(phone, 'Bosco', 'room', 'market day');
  const [cee] = await openOn((n) => n !== node, () => browser.open(DESKTOP), (page) => enter(page, 'Chantal', 'people'));
  await cee.evaluate(() => {
    location.hash = '#chat/market day';
  });
  await ann.waitForSelector('.note:has-text("Chantal came in")', WAIT);
  const lines = [[ann, 'Muraho! Who is at the market this morning?'], [phone, 'Me, with the big drum.'],
    [phone, 'I am on another node, can you hear me?'], [cee, 'Loud and clear. Save me a place near the front, the bus is late again.'],
    [ann, 'We start at ten. Bring the whole family!'], [phone, 'All nine of them?'], [ann, 'All nine.']];
  for (const [page, text] of lines) {
    await say(page, text);
    for (const other of [ann, phone, cee]) await hears(other, text);
  }
  await cee.locator('#text').pressSequentially('On our');
  for (const page of [ann, phone]) await page.waitForSelector('#typing.active', WAIT);
  await until('the names', async () => (await ann.locator('#member-list .who').count()) === 3);
  await shoot(ann, 'demo-desktop');
  await shoot(phone, 'demo-phone');
  for (const page of [ann, phone, cee]) await page.context().close();
});

test('people', { skip, timeout: 120000 }, async () => {
  const ann = await browser.open(DESKTOP);
  const phone = await browser.open(PHONE, 'dark');
  const others = [];
  for (const [name, status] of [['Bosco', 'busy'], ['Chantal', 'away'], ['Diane', 'online']]) {
    const page = name === 'Bosco' ? phone : await browser.open(DESKTOP, 'light', { scale: 1 });
    await enter(page, name, 'people');
    if (status !== 'online') await page.click(`label[for="status-${status}"]`);
    if (status !== 'online') await page.waitForSelector(`#status-${status}:checked`, { ...WAIT, state: 'attached' });
    others.push(page);
  }
  await enter(ann, 'Aline', 'people');
  const write = async (page, text) => {
    await page.fill('#private-text', text);
    await page.press('#private-text', 'Enter');
  };
  await ann.click('.folk-row:has-text("Bosco")', WAIT);
  await write(ann, 'Are you coming tonight? We need a second drum.');
  await phone.waitForSelector('.folk-row .badge:not([hidden])', WAIT);
  await phone.click('.folk-row:has-text("Aline")');
  await phone.waitForSelector('#private-messages .message', WAIT);
  await write(phone, 'On my way. The hill road is slow.');
  await ann.waitForSelector('#private-messages :text("The hill road")', WAIT);
  await write(ann, 'Good. I keep your seat.');
  await ann.waitForSelector('#private-messages .message:last-child .tick.is-read', WAIT);
  await shoot(phone, 'demo-people-phone');
  await phone.context().close();
  await ann.waitForSelector('#offline .folk-row:has-text("Bosco")', WAIT);
  await write(ann, 'Row two, on the left. You will read this when you are back.');
  await ann.waitForSelector('#private-messages .message:last-child .tick.is-queued', WAIT);
  await others[2].click('.folk-row:has-text("Aline")', WAIT);
  await write(others[2], 'May I bring my sister?');
  await ann.waitForSelector('#online .badge:not([hidden])', WAIT);
  await until('the toast to go', async () => (await ann.locator('.toast').count()) === 0);
  await shoot(ann, 'demo-people');
  for (const page of [ann, ...others.filter((p) => p !== phone)]) await page.context().close();
});

test('a quiz', { skip, timeout: 240000 }, async () => {
  const host = await browser.open(HALL);
  const hostNode = await enter(host, 'Aline', 'host');
  const pin = await openLobby(host);
  const names = ['Bosco', 'Chantal', 'Diane', 'Eric', 'Fabrice'];
  const players = [];
  for (const name of names) {
    const begin = () => browser.open(TALL_PHONE, players.length === 1 ? 'dark' : 'light', { path: `/?pin=${pin}` });
    const [page] = await openOn((n) => players.length > 0 || n !== hostNode, begin, nodeOf);
    await joinGame(page, name);
    players.push(page);
  }
  await untilText(host, '#player-count', '5');
  await shoot(host, 'quiz-lobby');
  await host.click('#start');
  await players[0].waitForSelector('#play .tile', WAIT);
  await tap(players[3], 'River');
  await tap(players[4], 'Drum');
  await untilText(host, '#answered', '2');
  await shoot(players[0], 'quiz-phone');
  await shoot(host, 'quiz-host');
  await tap(players[0], 'Drum');
  await players[0].waitForSelector('#fate[data-state="taken"]', WAIT);
  await tap(players[1], 'Drum');
  await tap(players[2], 'Drum');
  await host.waitForSelector('#next', WAIT);
  await host.waitForSelector('.board-row >> nth=4', WAIT);
  await untilText(players[1], '#gained', /\+\d+/);
  await shoot(host, 'quiz-result');
  await shoot(players[1], 'quiz-phone-right');
  await host.click('#next');
  for (const [i, page] of players.entries()) await tap(page, i === 3 ? 'False' : 'True');
  await host.waitForSelector('#next', WAIT);
  await host.click('#next');
  await players[0].waitForSelector('#answer-send', WAIT);
  for (const [i, page] of players.entries()) {
    for (const text of i === 2 ? ['Uganda', 'Kenya'] : ['Uganda', 'Burundi']) await tap(page, text);
    await page.click('#answer-send');
  }
  await host.waitForSelector('#next', WAIT);
  await host.click('#next');
  await players[0].waitForSelector('#answer-send', WAIT);
  for (const page of [players[0], players[3]]) {
    for (const text of ['Rwanda', 'Burundi', 'Uganda', 'Tanzania']) await tap(page, text);
    await page.click('#answer-send');
  }
  await host.click('#close');
  await host.waitForSelector('#next', WAIT);
  await host.click('#next');
  await players[0].waitForSelector('#answer-field', WAIT);
  for (const [i, page] of players.entries()) {
    await page.fill('#answer-field', String(1960 + i));
    await page.press('#answer-field', 'Enter');
    await page.waitForSelector('#fate[data-state="taken"], .verdict', WAIT);
  }
  await host.waitForSelector('#next', WAIT);
  await host.click('#next');
  await host.waitForSelector('.step-first', WAIT);
  await players[0].waitForSelector('.step-first', WAIT);
  await shoot(host, 'quiz-podium');
  await shoot(players[1], 'quiz-phone-podium');
});

// One picture of pictures, on a ground that is light and dark enough for both: [name, how high], beside each other.
async function compose(name, width, height, parts) {
  const page = await browser.open({ width, height }, 'light', { scale: 1.5 });
  const image = (file) => `data:image/png;base64,${fs.readFileSync(path.join(folder, `${file}.png`)).toString('base64')}`;
  await page.goto('about:blank');
  await page.setContent(`<style>body{margin:0;height:100vh;position:relative}img{position:absolute;border-radius:16px;box-shadow:0 0 0 1px #8886,0 10px 34px #0005}img.phone{border-radius:28px;box-shadow:0 0 0 7px #1b1512,0 14px 40px #0008}</style>
    ${parts.map(([file, high, style, kind]) => `<img class="${kind}" src="${image(file)}" style="height:${high}px;${style}">`).join('')}`);
  await page.waitForFunction(() => [...document.images].every((i) => i.complete));
  await page.screenshot({ path: path.join(folder, `${name}.png`), omitBackground: true });
  await page.context().close();
}

test('the first picture of the README', { skip, timeout: 60000 }, async () => {
  await compose('quiz', 1212, 620, [['quiz-host', 560, 'left:16px;top:24px', 'screen'], ['quiz-phone', 548, 'right:20px;top:30px', 'phone']]);
  await compose('quiz-phones', 1200, 560, ['quiz-phone', 'quiz-phone-right', 'quiz-phone-podium', 'demo-people-phone'].map((file, i) => [file, 500, `left:${40 + i * 290}px;top:28px`, 'phone']));
});
