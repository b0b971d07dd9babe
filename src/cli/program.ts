import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { CliError, exitCodes, type ExitCode } from './errors.ts';
import { terminal, type Terminal } from './output/terminal.ts';

/** The package's version: from the manifest beside the sources or above the compiled program. */
const version = (): string => {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      return (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string })
        .version;
    } catch {
      continue;
    }
  }
  return 'unknown';
};

const collected = (value: string, all: readonly string[] = []): string[] => [...all, value];

const namespace = (value: string): string => {
  if (!/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(value))
    throw new InvalidArgumentError('A namespace is at most 63 of a-z, 0-9 and -.');
  return value;
};

const input = (): Option =>
  new Option(
    '-f, --filename <file>',
    'manifest, directory of manifests, or - for standard input; repeatable',
  ).argParser(collected);

const recursiveOption = (): Option =>
  new Option('-R, --recursive', 'look into the subdirectories of a directory too');

const namespaceOption = (what: string): Option =>
  new Option('-n, --namespace <name>', what).argParser(namespace);

const modeOption = (): Option =>
  new Option(
    '--mode <mode>',
    'what to do about explicit unsafe values; an annotation on the object wins',
  ).choices(['audit', 'harden', 'strict']);

const kubeconfigOption = (): Option => new Option('--kubeconfig <file>', 'how to reach the cluster');

const outputOption = (...choices: string[]): Option =>
  new Option('-o, --output <format>', 'format').choices(choices);

type Done = (code: ExitCode) => void;

/** Commands on manifests: offline, and light to load. */
const addManifestCommands = (program: Command, io: Terminal, done: Done): void => {
  const where = 'namespace of objects that name none (default: default)';
  program
    .command('harden')
    .description('print manifests with their Kafka StatefulSets hardened')
    .addOption(input())
    .addOption(recursiveOption())
    .addOption(namespaceOption(where))
    .addOption(modeOption().default('harden'))
    .option('--strict', 'the same as --mode strict: refuse explicit unsafe values')
    .addOption(new Option('--diff', 'print a unified diff instead').conflicts('output'))
    .addOption(outputOption('yaml', 'json', 'json-patch'))
    .option('-q, --quiet', 'say only what is refused')
    .addHelpText(
      'after',
      '\nExit codes: 0 hardened or nothing to do, 2 unreadable input, 3 something is refused (nothing is printed).',
    )
    .action(async (options: { filename?: string[] }) => {
      const { hardenCommand } = await import('./commands/harden.ts');
      done(hardenCommand({ ...options, filename: options.filename ?? [] }, io));
    });
  program
    .command('unharden')
    .description('print hardened manifests as their authors wrote them')
    .addOption(input())
    .addOption(recursiveOption())
    .addOption(new Option('--diff', 'print a unified diff instead').conflicts('output'))
    .addOption(outputOption('yaml', 'json'))
    .action(async (options: { filename?: string[] }) => {
      const { unhardenCommand } = await import('./commands/unharden.ts');
      done(unhardenCommand({ ...options, filename: options.filename ?? [] }, io));
    });
  program
    .command('lint')
    .description('list what is unsafe or wrong in a set of manifests, all files together')
    .addOption(input())
    .addOption(recursiveOption())
    .addOption(namespaceOption(where))
    .addOption(modeOption())
    .addOption(outputOption('text', 'json'))
    .addHelpText('after', '\nExit codes: 0 no errors, 1 a finding is an error, 2 unreadable input.')
    .action(async (options: { filename?: string[] }) => {
      const { lintCommand } = await import('./commands/lint.ts');
      done(lintCommand({ ...options, filename: options.filename ?? [] }, io));
    });
  program
    .command('explain')
    .description('say what a rule wants and why; without a name, list all rules')
    .argument('[rule]')
    .addOption(outputOption('text', 'json'))
    .action(async (rule: string | undefined, options: { output?: 'text' | 'json' }) => {
      const { explainCommand } = await import('./commands/explain.ts');
      done(explainCommand({ ...options, ...(rule !== undefined && { rule }) }, io));
    });
};

const addPlanCommand = (program: Command, io: Terminal, done: Done): void => {
  program
    .command('plan')
    .description('plan the balancing of a cluster from a model of it, with least data moved')
    .requiredOption('--model <file>', 'the cluster model, JSON or gzipped JSON; - for standard input')
    .addOption(
      new Option('--mode <mode>', 'what may move').choices([
        'balance',
        'add-brokers',
        'remove-brokers',
        'leaders',
        'light',
      ]),
    )
    .option('--tolerance <share>', 'half width of the band around the average', '0.10')
    .option('--trigger <share>', 'plan only when a broker is further than this from the average')
    .option('--budget <duration>', 'how long to search (default: 5s to 60s, by the size of the cluster)')
    .option('--steps <number>', 'search that many steps instead: the same plan on every machine')
    .option('--seed <number>', 'seed of the search')
    .option('--leader-weight <number>', 'what a changed leader costs, in copies of an average replica')
    .option('--exclude-topic <name>', 'leave this topic alone; repeatable', collected)
    .option('--exclude-broker <id>', 'put nothing on this broker; repeatable', collected)
    .option('--output <file>', 'where to write the plan, in the format of kafka-reassign-partitions')
    .option('--html <file>', 'write a report with pictures')
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', '\nExit codes: 0 all brokers within the band, 1 some are not, 2 unreadable input.')
    .action(async (options: { model: string }) => {
      const { planCommand } = await import('./commands/plan.ts');
      done(await planCommand(options, io));
    });
};

const addClusterCommands = (program: Command, io: Terminal, done: Done): void => {
  program
    .command('adopt')
    .description('plan how a running plaintext cluster comes under hardening, stage by stage')
    .argument('[name]', 'StatefulSet in the cluster, or in the input of -f')
    .option('--plan', 'print the stages; nothing is changed')
    .addOption(input())
    .addOption(recursiveOption())
    .addOption(namespaceOption('namespace of the StatefulSet'))
    .addOption(outputOption('text', 'json', 'yaml'))
    .addOption(kubeconfigOption())
    .addHelpText(
      'after',
      '\nExit codes: 0 a plan is printed, 2 wrong usage or no access, 3 a set cannot be adopted, with the reason.',
    )
    .action(async (name: string | undefined, options: object) => {
      const { adoptCommand } = await import('./commands/adopt.ts');
      done(await adoptCommand({ ...options, ...(name !== undefined && { name }) }, io));
    });
  program
    .command('status')
    .description('show the Kafka clusters in the care of kafka-warden')
    .addOption(namespaceOption('namespace to look in (default: that of the context)'))
    .option('-A, --all-namespaces', 'look in all namespaces')
    .option('--cluster <name>', 'only this cluster')
    .option('--json', 'print the KafkaCluster objects')
    .addOption(kubeconfigOption())
    .action(async (options: object) => {
      const { statusCommand } = await import('./commands/status.ts');
      done(await statusCommand(options, io));
    });
  program
    .command('profile')
    .description('work with pinned profile versions')
    .command('upgrade')
    .description('move a hardened StatefulSet to a newer profile version, which starts a rolling update')
    .argument('[target]', 'statefulset/NAME in the cluster')
    .addOption(input())
    .addOption(namespaceOption('namespace of the StatefulSet'))
    .option('--to <profile>', 'profile version (default: the newest)')
    .option('--diff', 'with -f: print a unified diff instead')
    .option('-y, --yes', 'do not ask')
    .addOption(kubeconfigOption())
    .action(async (target: string | undefined, options: object) => {
      const { profileUpgradeCommand } = await import('./commands/profile-upgrade.ts');
      done(await profileUpgradeCommand({ ...options, ...(target !== undefined && { target }) }, io));
    });
};

/** What the Helm chart and the webhook start; nobody types these. */
const addServers = (program: Command, done: Done): void => {
  program
    .command('webhook')
    .description('run the admission webhook (started by the Helm chart)')
    .action(async () => {
      const { webhookCommand } = await import('./commands/webhook.ts');
      done(await webhookCommand());
    });
  program
    .command('sidecar')
    .description('run the sidecar of one Kafka cluster (started by the webhook)')
    .action(async () => {
      const { sidecarCommand } = await import('./commands/sidecar.ts');
      done(await sidecarCommand());
    });
  program
    .command('uninstall')
    .description('say farewell to all clusters and remove what runs (started by helm uninstall)')
    .action(async () => {
      const { uninstallCommand } = await import('./commands/uninstall.ts');
      done(await uninstallCommand());
    });
};

/** The program's name: `kubectl kafka-warden` where kubectl has started it as a plugin. */
const programName = (): string =>
  /(?:^|[/\\])kubectl-kafka_warden$/.test(process.argv[1] ?? '') ? 'kubectl kafka-warden' : 'kafka-warden';

const programFor = (io: Terminal, done: Done): Command => {
  const program = new Command(programName())
    .description('Hardens plain Kafka StatefulSets and keeps their clusters secure.')
    .version(version(), '-V, --version')
    .showHelpAfterError('(add --help for the options)')
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    .exitOverride();
  addManifestCommands(program, io, done);
  addPlanCommand(program, io, done);
  addClusterCommands(program, io, done);
  addServers(program, done);
  return program;
};

/** What a thrown value is to the person at the terminal. */
const failure = (error: unknown, io: Terminal): ExitCode => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof CliError) {
    io.err(`${io.paint('err', 'red', 'error')}: ${error.message}\n`);
    return error.exitCode;
  }
  const text = error instanceof Error ? (process.env['DEBUG'] ? error.stack : error.message) : String(error);
  io.err(`${io.paint('err', 'red', 'error')}: ${text ?? ''}\n`);
  return exitCodes.usage;
};

/** Runs the command line `args`. Returns the exit code; never throws. */
export const run = async (args: readonly string[], io: Terminal = terminal()): Promise<ExitCode> => {
  let code: ExitCode = exitCodes.ok;
  try {
    await programFor(io, (result) => (code = result)).parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return failure(error, io);
  }
};
