// A MongoDB-wire server for tests (tests/support/mongowire, built by ./ingoma test). With a file it keeps what it has
// acknowledged over kill -9; otherwise all is in memory.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';

const folder = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../../build/mongowire');

// Why there can be none; null: there can.
export const mongowireMissing = fs.existsSync(path.join(folder, 'MongoWire.class'))
  ? null : 'no MongoDB-wire server: ./ingoma test builds it, with Java and Maven';

// {uri, port, kill()}; kill is kill -9. port 0: a free one. mode: of MongoWire.java.
export async function startMongowire({ port = 0, file = '-', mode = '' } = {}) {
  const child = spawn('java', ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', `${folder}/lib/*:${folder}`,
    'MongoWire', '127.0.0.1', String(port), file, mode], { stdio: ['ignore', 'pipe', 'ignore'] });
  process.on('exit', () => child.kill('SIGKILL'));
  const uri = await new Promise((resolve, reject) => {
    readline.createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', status => reject(new Error(`the MongoDB-wire server ended with ${status}`)));
    child.once('error', reject);
  });
  return {
    uri,
    port: Number(new URL(uri).port),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise(resolve => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    },
  };
}
