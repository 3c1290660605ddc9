// The agents' desk and the visitor's page in Chromium: a form, the queue, a chat, a private note, the end and its rating.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DESKTOP, PHONE, startBrowser, untilText, WAIT } from '../support/browser.mjs';
import { ROOT, stopAll, until } from '../support/cluster.mjs';
import { agentToken, startContacts } from '../support/contacts.mjs';

const CODE = 'a-code-for-one-login-only';
const HTML = '<img src=x onerror="document.title=\'taken\'"><b>bold</b>';
let cluster, browser, url;

before(async () => {
  cluster = await startContacts({ nodes: 1, env: { DEV: 'on', DEV_LOGIN: CODE, PAGES_DIR: path.join(ROOT, 'build/pages') } });
  url = cluster.nodes[0].url;
  browser = await startBrowser(url);
});
after(async () => {
  await browser?.close();
  await stopAll();
});

const isFlat = (page) => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
const shows = (page, selector, text) => page.waitForSelector(`${selector}:has-text(${JSON.stringify(text)})`, WAIT);
const signedIn = (page) => page.waitForSelector('body[data-view="desk"][data-state="on"]', WAIT);

async function ask(page, name, message) {
  await page.fill('#name', name);
  await page.fill('#email', `${name.toLowerCase()}@example.org`);
  await page.fill('#subject', `About ${name}`);
  await page.fill('#message', message);
  await page.click('#submit');
  await page.waitForSelector('#talk:not([hidden])', WAIT);
}

async function answer(page, text, kind = 'reply') {
  await page.check(`input[name="mode"][value="${kind}"]`, { force: true });
  await page.fill('#text', text);
  await page.click('#send');
}

describe('a visitor and an agent', () => {
  let visitor, agent;

  test('the code of the console signs in once', async () => {
    agent = await browser.open(DESKTOP, 'light', { path: `/admin/#login=${CODE}` });
    await signedIn(agent);
    assert.equal(new URL(agent.url()).hash.includes(CODE), false, 'the code does not stay in the address');
    const again = await browser.open(DESKTOP, 'light', { path: `/admin/#login=${CODE}` });
    await until('a refusal', async () => (await again.textContent('#door-error')) !== '');
    await again.context().close();
    browser.problems.splice(0, Infinity, ...browser.problems.filter((p) => !/40[139]/.test(p))); // the refusal itself
  });

  test('a form waits in the queue, its sender sees the place', async () => {
    visitor = await browser.open(PHONE, 'light', { path: '/widget/' });
    assert.ok(await isFlat(visitor));
    await ask(visitor, 'Ann', HTML);
    await untilText(visitor, '#banner', /number 1 in the queue/);
    await shows(agent, '#rows .who', 'Ann');
    await untilText(agent, '#badge-queue', '1');
  });

  test('claimed, answered, heard on both sides; HTML is text', async () => {
    await agent.click('#rows .row:has-text("Ann")');
    await shows(agent, '#messages .bubble', HTML);
    await agent.click('#chat-actions button:has-text("Claim")');
    await agent.waitForSelector('#text:not([disabled])', WAIT);
    await answer(agent, 'How can I help?');
    await shows(visitor, '#messages .bubble', 'How can I help?');
    await visitor.fill('#text', 'I cannot log in');
    await visitor.click('#send');
    await shows(agent, '#messages .bubble', 'I cannot log in');
    for (const page of [agent, visitor]) {
      assert.notEqual(await page.title(), 'taken');
      assert.equal(await page.locator('#messages img, #messages b').count(), 0);
    }
  });

  test('a note is for agents alone', async () => {
    await answer(agent, 'a difficult one', 'note');
    await shows(agent, '#messages .message.note', 'a difficult one');
    await answer(agent, 'One moment please.');
    await shows(visitor, '#messages .bubble', 'One moment please.');
    assert.equal(await visitor.locator('.bubble:has-text("a difficult one")').count(), 0);
    await visitor.reload();
    await shows(visitor, '#messages .bubble', 'One moment please.');
    assert.equal(await visitor.locator('.bubble:has-text("a difficult one")').count(), 0);
  });

  test('a canned reply that is sent has been used once more', async () => {
    await agent.click('.nav a[data-to="replies"]');
    await agent.fill('.editor [aria-label="Short code"]', 'hello');
    await agent.fill('.editor textarea', 'Hello {{name}}, it works again.');
    await agent.click('.editor button[type="submit"]');
    await shows(agent, 'li', 'used 0 times');
    await agent.click('.nav a[data-to="mine"]');
    await agent.click('#rows .row:has-text("Ann")');
    await agent.selectOption('#canned', { index: 1 });
    await agent.waitForFunction(() => document.getElementById('text').value.startsWith('Hello Ann'), null, WAIT);
    await agent.check('input[name="mode"][value="reply"]', { force: true });
    await agent.click('#send');
    await shows(visitor, '#messages .bubble', 'Hello Ann, it works again.');
    await until('the use to be counted', async () => {
      await agent.click('.nav a[data-to="replies"]');
      await agent.click('.nav a[data-to="mine"]');
      return await agent.evaluate(async () => (await import('./state.js')).state.replies[0].uses) === 1;
    });
    await agent.click('#rows .row:has-text("Ann")');
  });

  test('resolved, rated by the link of a mail on another device, and in the numbers', async () => {
    await agent.click('#chat-actions button:has-text("Resolve")');
    await visitor.waitForSelector('#rate:not([hidden])', WAIT);
    const chat = await visitor.evaluate(() => JSON.parse(localStorage.getItem('ingoma-contact')));
    const phone = await browser.open(PHONE, 'light', { path: `/widget/#contact=${chat.id}&token=${chat.token}&rate=${chat.rateToken}` });
    await phone.waitForSelector('#rate:not([hidden])', WAIT);
    assert.equal(new URL(phone.url()).hash, '', 'the tokens do not stay in the address');
    await phone.check('#rate input[value="5"]', { force: true });
    await phone.click('#rate button');
    await phone.waitForSelector('#rate', { ...WAIT, state: 'hidden' });
    await untilText(agent, '#chat-banner', /rated 5 of 5/);
    await agent.click('.nav a[data-to="numbers"]');
    await shows(agent, '.tile', '5.0 / 5');
  });

  test('the desk fits a phone, in every view', async () => {
    const phone = await browser.open(PHONE, 'dark', { path: '/admin/' });
    await phone.fill('#token', agentToken('a2', 'Bosco'));
    await phone.click('#sign-in .primary');
    await signedIn(phone);
    for (const view of ['queue', 'mine', 'all', 'numbers', 'replies', 'team']) {
      await phone.click(`.nav a[data-to="${view}"]`);
      await phone.waitForSelector(`.nav a[data-to="${view}"][aria-current]`, WAIT);
      assert.ok(await isFlat(phone), view);
    }
    await phone.context().close();
  });

  test('no page complained, or broke its policy', () => assert.deepEqual(browser.problems, []));
});
