// A whole quiz in the browser: the host on one node, two phones on another one that is killed in the middle of a question.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import jsqr from 'jsqr';
import { PNG } from '../support/png.mjs';
import { DESKTOP, enter, isFlat, joinGame, LOST_NODE, nodeOf, openLobby, openOn, PHONE, say, startBrowser, tap, TALL_PHONE, textOf, untilText, WAIT } from '../support/browser.mjs';
import { demoFolder, startCluster, startNode, stopAll, until } from '../support/cluster.mjs';

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

const score = async (page) => Number(await textOf(page, '#play-score'));
const seat = (page) => textOf(page, '#play-seat');
const question = (page) => textOf(page, '.ask-text');
const board = (page) => page.locator('.board-row').evaluateAll((rows) => rows.map((r) => [r.querySelector('.board-name').textContent, Number(r.querySelector('.board-score').textContent)]));
const isServedElsewhere = (page, old) => page.waitForFunction((node) => document.body.dataset.state === 'on' && document.getElementById('status').dataset.node !== node, old, WAIT);

test('two phones and their host: the node of the players is killed in the middle of a question', { timeout: 240000 }, async (t) => {
  const host = await browser.open(DESKTOP);
  const hostNode = await enter(host, 'Aline', 'host');
  const pin = await openLobby(host, 2); // the warm-up: two questions
  const far = async (name, viewport) => { // by the link of the QR code; on the other node before a seat is taken
    const [page, there] = await openOn((n) => n !== hostNode, () => browser.open(viewport, 'light', { path: `/?pin=${pin}` }), nodeOf);
    await joinGame(page, name);
    return [page, there];
  };

  await t.test('the QR code on the screen leads to this quiz', async () => {
    const picture = PNG.read(await host.locator('#qr').screenshot());
    assert.equal(jsqr(picture.data, picture.width, picture.height)?.data, `${cluster.url}/?pin=${pin}`);
  });

  const [bob, node] = await far('Bosco', TALL_PHONE);
  const [cee] = await far('Chantal', TALL_PHONE);
  const seats = [await seat(bob), await seat(cee)];

  await t.test('players come without an account, and the lobby shows them', async () => {
    await host.waitForSelector('#chips .chip:has-text("Bosco")', WAIT);
    await host.waitForSelector('#chips .chip:has-text("Chantal")', WAIT);
    assert.notEqual(seats[0], seats[1]);
    assert.ok(await isFlat(bob));
  });

  await t.test('the countdown is the same on all screens, and comes from the server', async () => {
    await host.click('#start');
    for (const page of [host, bob, cee]) await page.waitForSelector('.ring-digits', WAIT);
    const seconds = await Promise.all([host, bob, cee].map(async (page) => Number(await textOf(page, '.ring-digits'))));
    assert.ok(Math.max(...seconds) - Math.min(...seconds) <= 1, seconds.join());
    assert.ok(Math.max(...seconds) <= 20);
  });

  await t.test('the key is nowhere on the phones before the close', async () => {
    assert.equal(await question(bob), 'Which shape has three corners?');
    assert.equal(await bob.locator('.is-right, .verdict').count(), 0);
    assert.deepEqual(await bob.locator('#play .tile').evaluateAll((all) => all.map((b) => b.dataset.shape)), ['triangle', 'diamond', 'circle', 'square']);
  });

  await t.test('the node dies: same seat, same question, the answer stays', async () => {
    await tap(bob, 'The red one');
    await bob.waitForSelector('#fate[data-state="taken"]', WAIT);
    await untilText(host, '#answered', '1');
    const heard = browser.problems.length;
    cluster.nodes.find((n) => n.id === node).expectEnd();
    await bob.click('#kill');
    for (const page of [bob, cee]) await isServedElsewhere(page, node);
    assert.deepEqual(browser.problems.splice(heard).filter((l) => !LOST_NODE.test(l)), []);
    assert.equal(await nodeOf(bob), hostNode);
    assert.deepEqual([await seat(bob), await seat(cee)], seats);
    assert.equal(await question(cee), 'Which shape has three corners?');
    await bob.waitForSelector('#fate[data-state="taken"]', WAIT);
    assert.equal(await bob.getAttribute('#play .tile:has-text("red")', 'aria-pressed'), 'true');
    await bob.waitForSelector(`.toast:has-text("Node ${node} is dead")`, WAIT);
  });

  await t.test('who had not answered still can, and the question closes when all have', async () => {
    await tap(cee, 'The blue one');
    await host.waitForSelector('#next', WAIT);
    await bob.waitForSelector('.verdict[data-verdict="right"]', WAIT);
    await cee.waitForSelector('.verdict[data-verdict="wrong"]', WAIT);
    await untilText(bob, '#gained', /^\+[1-9]\d*$/);
    await untilText(cee, '#gained', '+0');
    assert.equal(await textOf(bob, '#place b'), '1');
    const bars = await host.locator('.tile .bar b').allTextContents();
    assert.deepEqual(bars, ['1', '1', '0', '0']);
  });

  const first = await score(bob);
  await t.test('a page that is loaded again is in the same seat with the same score', async () => {
    await bob.reload();
    await bob.waitForSelector('#play-seat', WAIT);
    assert.equal(await seat(bob), seats[0]);
    await untilText(bob, '#play-score', String(first));
  });

  await t.test('so is the host, with all buttons', async () => {
    await host.reload();
    await host.waitForSelector('#next', WAIT);
    await until('the board', async () => (await board(host)).length === 2);
    assert.deepEqual((await board(host))[0], ['Bosco', first]);
    await host.click('#next');
  });

  await t.test('pause stops all clocks', async () => {
    await cee.waitForSelector('#play .tile:has-text("True")', WAIT);
    await host.click('#pause');
    await untilText(cee, '#fate', 'The host has stopped the clock.');
    assert.ok(await cee.isDisabled('#play .tile:has-text("True")'));
    await host.click('#pause');
    await cee.waitForSelector('#play .tile:has-text("True"):enabled', WAIT);
  });

  await t.test('the podium is the same everywhere', async () => {
    await bob.waitForSelector('#play .tile:has-text("True"):enabled', WAIT);
    await bob.keyboard.press('1'); // True, by keyboard
    await tap(cee, 'True');
    await host.click('#next', WAIT);
    for (const page of [host, bob, cee]) {
      await page.waitForSelector('.step-first:has-text("Bosco")', WAIT);
      await page.waitForSelector('.step-second:has-text("Chantal")', WAIT);
      assert.ok(await isFlat(page));
    }
    const [b, c] = [await score(bob), await score(cee)];
    assert.ok(b > first && c > 0 && b > c, `${b} ${first} ${c}`);
    assert.match(await textOf(host, '.step-first'), new RegExp(`${b}$`));
    assert.match(await textOf(host, '.step-second'), new RegExp(`${c}$`));
    assert.equal(await textOf(bob, '.ended h1'), 'Place 1');
    assert.equal(await textOf(cee, '#final'), `${c} points`);
  });

  await t.test('the results can be taken away as CSV', async () => {
    const [file] = await Promise.all([host.waitForEvent('download', WAIT), host.click('button:has-text("Results as CSV")')]);
    const text = await new Promise((done, fail) => file.createReadStream().then((s) => {
      let all = '';
      s.setEncoding('utf8');
      s.on('data', (d) => (all += d));
      s.on('end', () => done(all));
    }, fail));
    assert.match(text, /^rank,seat,userId,userName,score/);
    assert.match(text, /"Bosco"/);
  });
  for (const page of [host, bob, cee]) await page.context().close();
});

test('every kind of question at 360 pixels, without motion where none is wanted', { timeout: 240000 }, async () => {
  await startAgain();
  const host = await browser.open(PHONE, 'dark', { reducedMotion: 'reduce' });
  await enter(host, 'Aline', 'host');
  assert.ok(await isFlat(host));
  const pin = await openLobby(host, 0);
  const player = await browser.open(PHONE, 'dark', { path: '/', reducedMotion: 'reduce' });
  await player.fill('#door-pin-field', '0000000000');
  await player.click('#door-pin button');
  await player.fill('#player', 'Bosco');
  await player.click('#play-go');
  await untilText(player, '#play-error', 'No quiz has this PIN.');
  await player.fill('#play-pin', `${pin.slice(0, 4)} ${pin.slice(4)}`); // as people type it
  await joinGame(player, 'Bosco');
  await untilText(host, '#player-count', '1');
  const flat = async () => {
    for (const page of [host, player]) assert.ok(await isFlat(page), await page.getAttribute('.body:not([hidden])', 'data-phase'));
  };
  await flat();
  await host.click('#start');
  const acts = [
    () => tap(player, 'Drum'), () => tap(player, 'True'),
    async () => {
      for (const text of ['Uganda', 'Burundi']) await tap(player, text);
      await player.click('#answer-send');
    },
    async () => {
      for (const text of ['Rwanda', 'Burundi', 'Uganda', 'Tanzania']) await tap(player, text);
      assert.deepEqual(await player.locator('.tile-place').allTextContents(), ['4', '1', '3', '2']);
      await player.click('#answer-send');
    },
    async () => {
      await player.fill('#answer-field', '1963');
      await player.press('#answer-field', 'Enter');
    },
  ];
  for (const [i, act] of acts.entries()) {
    await untilText(player, '.play-ask .small', new RegExp(`^Question ${i + 1} of 5`));
    await flat();
    await act();
    await host.waitForSelector('#next', WAIT);
    await player.waitForSelector('.verdict[data-verdict="right"]', WAIT);
    await flat();
    await host.click('#next');
  }
  await player.waitForSelector('.step-first', WAIT);
  await flat();
  assert.equal(await player.locator('.confetti').isVisible(), false);
  assert.equal(await player.evaluate(() => document.getAnimations().length), 0);
  for (const page of [host, player]) await page.context().close();
});

test('a node that is killed changes nothing in a room, either', { timeout: 120000 }, async () => {
  await startAgain();
  const ann = await browser.open(DESKTOP);
  const node = await enter(ann, 'Aline', 'room', 'valley');
  const [bob] = await openOn((n) => n !== node, () => browser.open(PHONE), (page) => enter(page, 'Bosco', 'room', 'valley'));
  await say(bob, 'before');
  await ann.waitForSelector('#messages .words:text("before")', WAIT);
  const heard = browser.problems.length;
  cluster.nodes.find((n) => n.id === node).expectEnd();
  await ann.click('#kill');
  await isServedElsewhere(ann, node);
  await say(ann, 'after');
  await bob.waitForSelector('#messages .words:text("after")', WAIT);
  await ann.waitForSelector('#messages .words:text("after")', WAIT);
  assert.deepEqual(await ann.locator('#messages .words').allTextContents(), ['before', 'after']);
  assert.deepEqual(browser.problems.splice(heard).filter((l) => !LOST_NODE.test(l)), []);
  for (const page of [ann, bob]) await page.context().close();
});

// As ./ingoma up does: another node in the place of each that was killed.
async function startAgain() {
  const [alive] = cluster.nodes.filter((n) => !n.ended);
  cluster.nodes = cluster.nodes.filter((n) => !n.ended);
  while (cluster.nodes.length < 2) cluster.nodes.push(await startNode({ port: alive.port, redis: cluster.redis, env: { DEMO: 'on', STATIC_DIR: demoFolder() } }));
  await until('both to know each other', async () => (await Promise.all(cluster.nodes.map((n) => n.health()))).every((h) => h?.nodes === 2), 60000);
}

test('without DEV there is no button, and a visitor is somebody new', { timeout: 120000 }, async () => {
  const node = await startNode({ redis: cluster.redis, env: { DEV: 'off', DEMO: 'on', STATIC_DIR: demoFolder() } });
  const page = await browser.open(DESKTOP);
  await page.goto(node.url);
  await enter(page, 'Diane', 'room');
  assert.equal(await page.isVisible('#kill'), false);
  await say(page, 'here');
  await page.waitForSelector('#messages .own .words:text("here")', WAIT);
  await page.context().close();
  await node.stop();
});

test('no page wrote an error to its console, or met its policy', () => {
  assert.deepEqual(browser.problems, []);
});
