import assert from 'node:assert/strict';
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import fc from 'fast-check';
import {
  type Authority,
  type Leaf,
  createAuthority,
  distinguishedName,
  issueLeaf,
  keystore,
  nodeSubject,
  password as newPassword,
  readCertificate,
  truststore,
  wardenSubject,
} from './index.ts';
import { foreignCertificates } from './test/foreign.ts';
import { findCompiler, findJava, javaVersions } from './test/jvms.ts';
import { subjects } from './test/subjects.ts';

const now = new Date();
const lifetimeMs = 3_600_000;
const password = newPassword();
const directory = mkdtempSync(join(tmpdir(), 'kafka-warden-jvm-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const authorityOf = (commonName: string): Authority =>
  createAuthority({ subject: { commonName, organization: 'kafka-warden' }, now, lifetimeMs });
const nodeOf = (authority: Authority, name = 'localhost'): Leaf =>
  issueLeaf(authority, {
    subject: nodeSubject,
    dnsNames: [name],
    usages: ['server', 'client'],
    now,
    lifetimeMs,
  });
const file = (name: string, contents: Buffer | string): string => {
  const path = join(directory, name);
  writeFileSync(path, contents);
  return path;
};
const trust = (...authorities: Authority[]): Buffer =>
  truststore(
    authorities.map(({ certificatePem }, index) => ({ alias: `authority-${index}`, certificatePem })),
    password,
  );

const ours = authorityOf('demo authority');
/** Of the same name as `ours`: what an authority's successor looks like. */
const successor = authorityOf('demo authority');
const strangers = authorityOf('another authority');
const warden = issueLeaf(ours, { subject: wardenSubject, usages: ['client'], now, lifetimeMs });

const stores = {
  node: file('node.p12', keystore({ ...nodeOf(ours), password, alias: 'kafka-0' })),
  successor: file('successor.p12', keystore({ ...nodeOf(successor), password, alias: 'kafka-0' })),
  stranger: file('stranger.p12', keystore({ ...nodeOf(strangers), password, alias: 'kafka-0' })),
  trust: file('trust.p12', trust(ours)),
  trustBoth: file('trust-both.p12', trust(ours, successor)),
  trustStrangers: file('trust-strangers.p12', trust(strangers)),
};

const quickStart = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
const compiler = findCompiler();
before(() => {
  if (compiler === undefined) return;
  const source = join(import.meta.dirname, 'test/Peer.java');
  execFileSync(join(compiler, 'bin/javac'), ['--release', '17', '-d', directory, source]);
});

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
const finished = (command: string, args: string[]): Promise<Outcome> =>
  new Promise((resolve) => {
    execFile(command, args, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });

/** A Node server that speaks TLS with mutual authentication and answers one line; gives its port. */
async function withNodeServer<T>(
  options: { leaf: Leaf; ca: string | string[] },
  use: (port: number) => Promise<T>,
): Promise<T> {
  const { leaf, ca } = options;
  const server = tls.createServer({
    cert: leaf.chainPem,
    key: leaf.privateKeyPem,
    ca,
    requestCert: true,
    rejectUnauthorized: true,
  });
  server.on('secureConnection', (socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('pong\n'));
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

/** Speaks to a Java server as Node client; resolves to what it answered. */
async function askAsNode(port: number, leaf: Leaf, ca: string): Promise<string> {
  const socket = tls.connect({
    host: 'localhost',
    port,
    cert: leaf.chainPem,
    key: leaf.privateKeyPem,
    ca,
  });
  socket.end('ping\n');
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

for (const version of javaVersions) {
  describe(`Java ${version}`, async () => {
    const found = await findJava(version);
    const skip =
      'missing' in found ? found.missing : compiler === undefined ? 'no javac from Java 17 on' : false;
    const home = 'home' in found ? found.home : '';
    const peerArgs = (...args: string[]): string[] => [...quickStart, '-cp', directory, 'Peer', ...args];
    const peer = (...args: string[]): Promise<Outcome> => finished(join(home, 'bin/java'), peerArgs(...args));
    const client = (keys: string, trusted: string, port: number): Promise<Outcome> =>
      peer('client', keys, trusted, password, 'localhost', String(port));
    const startServer = async (): Promise<{
      child: ChildProcess;
      port: number;
      principal: Promise<string>;
    }> => {
      const child = spawn(join(home, 'bin/java'), peerArgs('server', stores.node, stores.trust, password));
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      const port = Number((await lines.next()).value);
      return { child, port, principal: lines.next().then(({ value }) => String(value)) };
    };
    const keytool = (store: string): string =>
      execFileSync(join(home, 'bin/keytool'), ['-list', '-v', '-keystore', store, '-storepass', password], {
        encoding: 'utf8',
      });

    test('keytool lists a keystore as one private key with a chain of two certificates', { skip }, () => {
      const listing = keytool(stores.node);
      assert.match(listing, /Keystore type: PKCS12/i);
      assert.match(listing, /contains 1 entry/);
      assert.match(listing, /Alias name: kafka-0/);
      assert.match(listing, /Entry type: PrivateKeyEntry/);
      assert.match(listing, /Certificate chain length: 2/);
    });

    test('keytool lists each authority of a truststore as a trusted certificate', { skip }, () => {
      const listing = keytool(stores.trustBoth);
      assert.match(listing, /contains 2 entries/);
      assert.equal(listing.match(/Entry type: trustedCertEntry/g)?.length, 2);
    });

    test('a Java client and a Node server authenticate each other', { skip }, async () => {
      const outcome = await withNodeServer({ leaf: nodeOf(ours), ca: ours.certificatePem }, (port) =>
        client(stores.node, stores.trust, port),
      );
      assert.deepEqual(outcome, { code: 0, stdout: 'CN=kafka-node,O=kafka-warden\n', stderr: '' });
    });

    test('a Java server and a Node client authenticate each other', { skip }, async () => {
      const { child, port, principal } = await startServer();
      assert.equal(await askAsNode(port, warden, ours.certificatePem), 'pong\n');
      assert.equal(await principal, 'CN=kafka-warden,O=kafka-warden');
      if (child.exitCode === null) await once(child, 'exit');
    });

    test('while an authority is replaced by one of the same name, both are trusted', { skip }, async () => {
      const ca = [ours.certificatePem, successor.certificatePem];
      for (const [keys, leaf] of [
        [stores.node, nodeOf(successor)],
        [stores.successor, nodeOf(ours)],
      ] as const) {
        const outcome = await withNodeServer({ leaf, ca }, (port) => client(keys, stores.trustBoth, port));
        assert.equal(outcome.code, 0, outcome.stderr);
      }
    });

    test(
      'a Node server refuses a Java client with a certificate of another authority',
      { skip },
      async () => {
        const outcome = await withNodeServer({ leaf: nodeOf(ours), ca: ours.certificatePem }, (port) =>
          client(stores.stranger, stores.trust, port),
        );
        assert.equal(outcome.code, 3, outcome.stdout);
        assert.doesNotMatch(outcome.stderr, /PKIX/, 'the refusal is the server’s');
      },
    );

    test('a Java client refuses a server of another authority', { skip }, async () => {
      const outcome = await withNodeServer({ leaf: nodeOf(ours), ca: ours.certificatePem }, (port) =>
        client(stores.node, stores.trustStrangers, port),
      );
      assert.equal(outcome.code, 3, outcome.stdout);
      assert.match(outcome.stderr, /PKIX path|SSLHandshakeException/);
    });

    test('a Java client refuses the successor of an authority that it trusts', { skip }, async () => {
      const leaf = nodeOf(successor);
      const outcome = await withNodeServer({ leaf, ca: ours.certificatePem }, (port) =>
        client(stores.node, stores.trust, port),
      );
      assert.equal(outcome.code, 3, outcome.stdout);
    });

    test('a Java client refuses a server under a name that is not in its certificate', { skip }, async () => {
      const leaf = nodeOf(ours, 'elsewhere');
      const outcome = await withNodeServer({ leaf, ca: ours.certificatePem }, (port) =>
        client(stores.node, stores.trust, port),
      );
      assert.equal(outcome.code, 3, outcome.stdout);
      assert.match(outcome.stderr, /No (subject alternative DNS )?name matching localhost found/i);
    });

    test('a Java server refuses a Node client of another authority', { skip }, async () => {
      const { child, port } = await startServer();
      const exit = once(child, 'exit');
      const answer = await askAsNode(port, nodeOf(strangers), ours.certificatePem).catch(() => 'refused');
      assert.notEqual(answer, 'pong\n');
      assert.deepEqual(await exit, [3, null]);
    });

    test('a principal is named as readCertificate says', { skip }, async () => {
      const wanted = fc.sample(subjects, 60);
      const samples = [
        ...wanted.map(
          (subject) => issueLeaf(ours, { subject, usages: ['client'], now, lifetimeMs }).certificatePem,
        ),
        ...foreignCertificates(directory, version),
      ];
      const files = samples.map((pem, index) => file(`subject-${index}.pem`, pem));
      const { stdout, stderr } = await peer('names', ...files);
      const printed = stdout
        .trim()
        .split('\n')
        .map((hex) => Buffer.from(hex, 'hex').toString('utf8'));
      assert.equal(printed.length, samples.length, stderr);
      for (const [index, name] of printed.entries()) {
        assert.equal(readCertificate(samples[index]!).subject, name);
      }
      for (const [index, subject] of wanted.entries())
        assert.equal(distinguishedName(subject), printed[index]);
    });
  });
}
