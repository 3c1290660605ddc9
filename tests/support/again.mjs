// A file of tests once more, in a process of its own, with other options in its environment.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { ROOT } from './cluster.mjs';

// runAgain('contacts', {X: '1'}): tests/system/contacts.test.mjs passes with it.
export async function runAgain(name, more) {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env; // it is no part of this run's report
  const child = spawn(process.execPath, ['--test', '--test-concurrency=1', path.join(ROOT, 'tests/system', `${name}.test.mjs`)],
    { env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'inherit'] });
  let report = '';
  child.stdout.on('data', bytes => { report += bytes; });
  const status = await new Promise(resolve => child.once('close', resolve));
  assert.equal(status, 0, report);
  assert.match(report, /pass [1-9]/);
}
