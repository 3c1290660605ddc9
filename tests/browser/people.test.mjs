// People on the demo page: who is here, who is not seen, and what is written to somebody who is away.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DESKTOP, enter, isFlat, nodeOf, openOn, PHONE, startBrowser, untilText, WAIT } from '../support/browser.mjs';
import { startCluster, stopAll, until } from '../support/cluster.mjs';

let cluster;
let browser;

before(async () => {
  cluster = await startCluster({ nodes: 2, demo: true });
  browser = await startBrowser(cluster.url);
});

after(async () => {
  await browser?.close();
  await stopAll();
});

const elsewhere = (node, viewport, name) => openOn((n) => n !== node, () => browser.open(viewport), (page) => enter(page, name, 'people'));
const listed = (page, list) => page.locator(`#${list} .folk-name`).allTextContents();
const untilListed = (page, list, want) => until(`${list} to be ${want}`, async () => (await listed(page, list)).join() === want);
const unreadOf = async (page, name) => {
  const badge = page.locator(`.folk-row:has-text("${name}") .badge`);
  return (await badge.isVisible()) ? badge.textContent() : '0';
};
const lastTick = (page) => page.locator('#private-messages .message.own .tick').last().getAttribute('data-state');
const untilTick = (page, state) => until(`the last message to be ${state}`, async () => (await lastTick(page)) === state);
const texts = (page) => page.locator('#private-messages .words').allTextContents();

async function setStatus(page, status) {
  await page.click(`label[for="status-${status}"]`);
  await page.waitForSelector(`#status-${status}:checked`, { ...WAIT, state: 'attached' });
}

async function talkTo(page, name) {
  await page.click(`.folk-row:has-text("${name}")`, WAIT);
  await untilText(page, '#private-name', name);
}

async function write(page, text) {
  await page.fill('#private-text', text);
  await page.press('#private-text', 'Enter');
}

test('two people on two nodes see each other and how they show; the invisible are not seen', { timeout: 180000 }, async (t) => {
  const ann = await browser.open(DESKTOP);
  const node = await enter(ann, 'Aline', 'people');
  const [bob, other] = await elsewhere(node, PHONE, 'Bosco');

  assert.notEqual(node, other);
  await untilListed(ann, 'online', 'Bosco');
  await untilListed(bob, 'online', 'Aline');
  assert.equal(await ann.textContent('#online-count'), '1');

  await t.test('away and busy show to the other one, in words and not by colour alone', async () => {
    for (const [status, text] of [['away', 'Away'], ['busy', 'Busy'], ['online', 'Online']]) {
      await setStatus(bob, status);
      await untilText(ann, '#online .folk-row .small', text);
      assert.equal(await ann.getAttribute('#online .folk-row', 'data-status'), status);
    }
  });

  await t.test('who becomes invisible is gone, to newcomers too, and still sees the others', async () => {
    await setStatus(bob, 'invisible');
    await untilListed(ann, 'online', '');
    const cee = await browser.open(DESKTOP);
    await enter(cee, 'Chantal', 'people');
    await untilListed(cee, 'online', 'Aline');
    await untilListed(bob, 'online', 'Aline,Chantal');
    assert.ok(!(await cee.textContent('#people')).includes('Bosco'));
    await cee.context().close();
    await untilListed(ann, 'online', '');
  });

  await t.test('a page that is loaded again is still invisible', async () => {
    await bob.reload();
    await nodeOf(bob);
    await bob.waitForSelector('#status-invisible:checked', { ...WAIT, state: 'attached' });
    await untilListed(bob, 'online', 'Aline');
    assert.deepEqual(await listed(ann, 'online'), []);
    await setStatus(bob, 'online');
    await untilListed(ann, 'online', 'Bosco');
  });

  await t.test('all of it by keyboard', async () => {
    await ann.focus('#status-online');
    await ann.keyboard.press('ArrowRight');
    await untilText(bob, '#online .folk-row .small', 'Away');
    await ann.keyboard.press('ArrowLeft');
    await untilText(bob, '#online .folk-row .small', 'Online');
    await ann.focus('.folk-row:has-text("Bosco")');
    await ann.keyboard.press('Enter');
    await untilText(ann, '#private-name', 'Bosco');
  });
  for (const page of [ann, bob]) await page.context().close();
});

test('a private message waits for who is away, and is delivered and read on another node', { timeout: 180000 }, async (t) => {
  const ann = await browser.open(DESKTOP);
  const node = await enter(ann, 'Diane', 'people');
  let [eric] = await elsewhere(node, PHONE, 'Eric');

  await t.test('here: delivered at once, unread until it is looked at, then read', async () => {
    await talkTo(ann, 'Eric');
    await write(ann, 'first');
    await untilTick(ann, 'delivered');
    await until('one unread', async () => (await unreadOf(eric, 'Diane')) === '1');
    assert.equal(await eric.textContent('#badge'), '1');
    await talkTo(eric, 'Diane');
    await until('what was written', async () => (await texts(eric)).join() === 'first');
    await untilTick(ann, 'read');
    assert.ok(await isFlat(eric));
    await eric.click('#private-back');
    await until('nothing unread', async () => (await unreadOf(eric, 'Diane')) === '0');
  });

  await t.test('away: it waits, and says so', async () => {
    await eric.context().close();
    await untilListed(ann, 'offline', 'Eric');
    await write(ann, 'second, <i>while you were away</i>');
    await untilTick(ann, 'queued');
    await write(ann, 'third');
    await untilTick(ann, 'queued');
    assert.match(await ann.textContent('.fate'), /Waits until they are back/);
  });

  await t.test('back: both are there once, in order, and the sender is told', async () => {
    [eric] = await elsewhere(node, PHONE, 'Eric');
    await untilTick(ann, 'delivered');
    await until('two unread', async () => (await unreadOf(eric, 'Diane')) === '2');
    await talkTo(eric, 'Diane');
    await until('all three', async () => (await texts(eric)).length === 3);
    assert.deepEqual(await texts(eric), ['first', 'second, <i>while you were away</i>', 'third']);
    await untilTick(ann, 'read');
    await write(eric, 'I was on the hill');
    await until('the answer', async () => (await texts(ann)).at(-1) === 'I was on the hill');
    await untilTick(eric, 'read');
  });

  await t.test('somebody who was never here can be written to by name, and has it at the first visit', async () => {
    await ann.fill('#write-name', 'Fabrice');
    await ann.press('#write-name', 'Enter');
    await untilText(ann, '#private-name', 'Fabrice');
    await write(ann, 'welcome');
    await untilTick(ann, 'queued');
    const fab = await browser.open(PHONE, 'dark');
    await enter(fab, 'Fabrice', 'people');
    await until('one unread', async () => (await unreadOf(fab, 'Diane')) === '1');
    await untilTick(ann, 'delivered');
    assert.ok(await isFlat(fab));
    await fab.context().close();
  });
  for (const page of [ann, eric]) await page.context().close();
});

test('no page wrote an error to its console, or met its policy', () => {
  assert.deepEqual(browser.problems, []);
});
