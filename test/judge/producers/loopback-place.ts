import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../cluster/command.ts';
import type { KafkaLine } from '../../cluster/versions.ts';
import { javaCommand, javaOptions, kafkaHome, sharedArchive } from '../../support/kafka-home.ts';
import type { LoopbackKafka } from '../../support/loopback-kafka.ts';
import type { Place } from './workload.ts';

const script = new URL('client.ts', import.meta.url).pathname;

/** Beside brokers on loopback, over their mutual TLS. The clients end when the folder is removed, within ten minutes at the latest. */
export async function loopbackPlace(
  { bootstrap, tls }: LoopbackKafka,
  line: KafkaLine,
): Promise<Place & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-warden-judge-'));
  const home = await kafkaHome(line);
  const pem = (value: string | Buffer) => value.toString();
  await writeFile(join(folder, 'ca.crt'), tls.caPem);
  await writeFile(join(folder, 'tls.crt'), tls.certificatePem);
  await writeFile(join(folder, 'tls.key'), tls.privateKeyPem);
  await writeFile(join(folder, 'keystore.pem'), `${pem(tls.privateKeyPem)}\n${pem(tls.certificatePem)}`);
  const java = [javaCommand(), ...javaOptions(line, home, sharedArchive(home))]
    .map((word) => `'${word}'`)
    .join(' ');
  return {
    folder,
    connection: { secret: folder, bootstrap: bootstrap.join(',') },
    properties: [
      'security.protocol=SSL',
      'ssl.truststore.type=PEM',
      `ssl.truststore.location=${folder}/ca.crt`,
      'ssl.keystore.type=PEM',
      `ssl.keystore.location=${folder}/keystore.pem`,
    ].join('\n'),
    clientCommand: `timeout 600 '${process.execPath}' '${script}'`,
    // The class path is relative to the home.
    verifiableCommand: `cd '${home}' && exec timeout 600 ${java} org.apache.kafka.tools.VerifiableProducer`,
    shell: (_client, text) => run('sh', ['-c', `set -e\n${text}`]),
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}
