import { type Command, Option } from 'commander';
import type { ExitCode } from './errors.ts';
import { collected, kubeconfigOption, namespaceOption } from './options.ts';
import type { Terminal } from './output/terminal.ts';

type Done = (code: ExitCode) => void;

/** `kafka-warden upgrade …`: another version of Kafka, before it is rolled out and after. */
export const addUpgradeCommands = (program: Command, io: Terminal, done: Done): void => {
  const upgrade = program
    .command('upgrade')
    .description('check another version of Kafka, and finalize it once it runs everywhere');
  upgrade
    .command('check')
    .description('say what would be in the way of another version of Kafka; nothing is changed')
    .argument('[cluster]', 'a running cluster; or give manifests with -f')
    .addOption(
      new Option(
        '-f, --filename <file>',
        'manifest, directory of manifests, or - for standard input; repeatable',
      ).argParser(collected),
    )
    .option('-R, --recursive', 'look into the subdirectories of a directory too')
    .option('--to <version>', 'the version to ask about (default: that of the template)')
    .addOption(namespaceOption('namespace of the cluster, or of objects that name none'))
    .option('--json', 'print it as JSON')
    .addOption(kubeconfigOption())
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing is in the way, 1 something is, 2 wrong usage, unreadable input or no access.',
    )
    .action(async (cluster: string | undefined, options: object) => {
      const { upgradeCheckCommand } = await import('./commands/upgrade-check.ts');
      done(await upgradeCheckCommand({ ...options, ...(cluster !== undefined && { cluster }) }, io));
    });
  upgrade
    .command('finalize')
    .description('ask the sidecar of a cluster to finalize what an upgrade has brought; it does not go back')
    .argument('<cluster>')
    .option('--metadata-version <release>', 'a release such as 4.1, a name such as 4.1-IV1, or a level')
    .option('--eligible-leader-replicas', 'switch eligible leader replicas on (KIP-966)')
    .option('-y, --yes', 'do not ask')
    .addOption(namespaceOption('namespace of the cluster (default: that of the context)'))
    .addOption(kubeconfigOption())
    .addHelpText(
      'after',
      '\nExit codes: 0 it is asked for, 2 wrong usage or no access, 3 refused, with the reason.',
    )
    .action(async (cluster: string, options: object) => {
      const { upgradeFinalizeCommand } = await import('./commands/upgrade-finalize.ts');
      done(await upgradeFinalizeCommand({ ...options, cluster }, io));
    });
};
