import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { artefact, hashOf } from '../artefact.ts';
import { checkout, ownFile } from '../checkout.ts';
import { run, script } from '../command.ts';
import { kafkaVersions } from '../versions.ts';
import type { KafkaLine } from '../versions.ts';
import { debianRoot, layoutIn, packImage } from './image.ts';

const jars = ['org.apache.kafka:kafka_2.13', 'org.apache.kafka:kafka-tools'];

/** Logging back ends that the distribution adds to what the server's own dependencies bring. */
const loggingJars: Record<KafkaLine, readonly string[]> = {
  '3.9': ['org.slf4j:slf4j-reload4j:1.7.36'],
  '4.1': [
    'org.apache.logging.log4j:log4j-slf4j-impl:2.24.3',
    'org.apache.logging.log4j:log4j-1.2-api:2.24.3',
    'org.apache.logging.log4j:log4j-core:2.24.3',
  ],
};

/** An image of Kafka, configured as the published one is: see `kafka-image/`. Returns the folder of its layout. */
export async function kafkaImage(line: KafkaLine): Promise<string> {
  const version = kafkaVersions[line];
  const java = await javaRoot();
  const sources = [
    ...['run', 'defaults', 'configure', 'launch', 'server.properties', 'archive-classes.sh', 'bin', line].map(
      (it) => `kafka-image/${it}`,
    ),
    'recipes/kafka.ts',
    'recipes/image.ts',
  ];
  return artefact({
    name: `kafka-${version}`,
    inputs: [
      java,
      await hashOf(
        checkout,
        sources.map((it) => ownFile(it)),
      ),
    ],
    build: async (folder) => {
      const layer = join(folder, 'root');
      await fetchJars(version, line, folder, join(layer, 'opt/kafka/libs'));
      await layOut(line, layer);
      await archiveClasses(join(java, 'root'), layer);
      await packImage({
        layout: layoutIn(folder),
        base: layoutIn(java),
        tag: version,
        root: layer,
        config: [
          '--config.user=appuser',
          '--config.cmd=/etc/kafka/docker/run',
          '--config.env=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
          '--config.exposedports=9092',
          '--config.volume=/etc/kafka/secrets',
          '--config.volume=/mnt/shared/config',
          '--config.volume=/var/lib/kafka/data',
        ],
      });
      await run('rm', ['-rf', layer, join(folder, 'pom.xml')]);
    },
  });
}

/** Debian with a Java runtime and the user that Kafka runs as: the root and, in a layout, the layer below Kafka's. */
export async function javaRoot(): Promise<string> {
  return artefact({
    name: 'java',
    inputs: ['bookworm', 'openjdk-17-jre-headless', await hashOf(checkout, [ownFile('recipes/image.ts')])],
    build: async (folder) => {
      const root = join(folder, 'root');
      await debianRoot(root, ['openjdk-17-jre-headless', 'procps'], 'essential');
      await script(
        `cd "$1"
         echo 'appuser:x:1000:1000::/home/appuser:/bin/bash' >> etc/passwd
         echo 'appuser:x:1000:' >> etc/group
         mkdir -p home/appuser && chown 1000:1000 home/appuser`,
        [root],
      );
      await packImage({ layout: layoutIn(folder), tag: 'java', root });
    },
  });
}

async function fetchJars(version: string, line: KafkaLine, folder: string, libs: string): Promise<void> {
  const coordinates = [...jars.map((it) => `${it}:${version}`), ...loggingJars[line]];
  const dependencies = coordinates.map((it) => {
    const [group, name, itsVersion] = it.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${itsVersion}</version></dependency>`;
  });
  const pom = join(folder, 'pom.xml');
  await writeFile(
    pom,
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
     <groupId>kafka-warden</groupId><artifactId>kafka-image</artifactId><version>1</version>
     <dependencies>${dependencies.join('')}</dependencies></project>`,
  );
  await run('mvn', [
    ...['-q', '-B', '-f', pom, 'dependency:copy-dependencies'],
    ...[`-DoutputDirectory=${libs}`, '-DincludeScope=runtime'],
  ]);
}

async function layOut(line: KafkaLine, layer: string): Promise<void> {
  const source = join(checkout, ownFile('kafka-image'));
  const docker = join(layer, 'etc/kafka/docker');
  const bin = join(layer, 'opt/kafka/bin');
  for (const path of [
    'etc/kafka/secrets',
    'opt/kafka/config',
    'opt/kafka/logs',
    'mnt/shared/config',
    'var/lib/kafka/data',
  ]) {
    await mkdir(join(layer, path), { recursive: true });
  }
  await cp(join(source, 'bin'), bin, { recursive: true });
  await cp(join(source, line), docker, { recursive: true });
  await run('mv', [join(docker, 'tools.list'), bin]);
  for (const name of ['run', 'defaults', 'configure', 'launch', 'server.properties']) {
    await cp(join(source, name), join(docker, name));
  }
  await chmod(join(docker, 'run'), 0o755);
  for (const entry of (await readFile(join(bin, 'tools.list'), 'utf8')).trim().split('\n')) {
    await symlink('tool.sh', join(bin, `${entry.split(' ')[0]}.sh`));
  }
  // Class data archives compare each jar's time with the one they were dumped with: give all a whole second.
  await script(
    `find "$1"/opt/kafka/libs -name '*.jar' -exec touch -d @1700000000 {} +
     chown -R 1000:1000 "$1"/opt/kafka "$1"/etc/kafka "$1"/mnt/shared "$1"/var/lib/kafka
     chmod -R a+rX "$1"`,
    [layer],
  );
}

/**
 * Runs the format step and a broker once, in a mount namespace over the image's root, and keeps the classes that
 * they loaded: the published image starts from such archives too.
 */
async function archiveClasses(javaRoot: string, layer: string): Promise<void> {
  await script(
    `exec unshare --mount --net --uts --propagation private bash -euo pipefail -c '
       hostname localhost && ip link set lo up
       work=$(mktemp -d) && mount -t tmpfs work "$work" && mkdir "$work"/{m,w,u}
       mount -t overlay overlay -o "lowerdir=$2:$1,upperdir=$work/u,workdir=$work/w" "$work/m"
       mount -t proc proc "$work/m/proc"
       mount --bind /dev "$work/m/dev"
       cp "$3" "$work/m/tmp/archive-classes"
       chroot --userspec=1000:1000 "$work/m" env -i HOME=/tmp PATH=/usr/bin:/bin bash -euo pipefail /tmp/archive-classes 1>&2
       cp --preserve=all "$work"/m/opt/kafka/{storage,kafka}.jsa "$2/opt/kafka/"
     ' archive "$1" "$2" "$3"`,
    [javaRoot, layer, join(checkout, ownFile('kafka-image/archive-classes.sh'))],
  );
}
