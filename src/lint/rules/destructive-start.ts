import { commandsOf } from '../../hardening/shell.ts';
import { pointerTo } from '../../hardening/draft.ts';
import type { Container } from '../../hardening/model.ts';
import { withoutSlash } from '../../hardening/mounts.ts';
import type { Broker } from '../brokers.ts';
import { coreDoc, type LintRule, type Said } from '../scene.ts';
import type { Workload } from '../workload.ts';

const baseName = (text: string) => text.slice(text.lastIndexOf('/') + 1);

/** Simple commands of a container: those of its scripts, and its own argv. */
function commandsIn({ command = [], args = [] }: Container): { words: string[]; text: string }[] {
  const argv = [...command, ...args];
  const scripts = argv.filter((a) => /\s/.test(a)).flatMap((script) => commandsOf(script));
  const all = [argv, ...scripts.map((c) => c.words.map((w) => w.text))];
  return all.map((words) => ({ words, text: words.join(' ') }));
}

/** What destroys data when it runs at every start; `rm -r` of init containers is the core's to find. */
function destruction(words: readonly string[]): string | undefined {
  const [program = '', ...rest] = words;
  switch (baseName(program)) {
    case 'kafka-topics':
    case 'kafka-topics.sh':
      return rest.includes('--delete') ? 'deletes topics' : undefined;
    case 'kafka-delete-records':
    case 'kafka-delete-records.sh':
      return 'deletes records';
    case 'find':
      return rest.includes('-delete') && !rest.some((w) => /lock|tmp|lost\+found/.test(w))
        ? 'deletes files'
        : undefined;
    default:
      return /^mkfs(\.|$)/.test(baseName(program)) ? 'formats a disk' : undefined;
  }
}

function inInit(workload: Workload): Said[] {
  return (workload.pod.initContainers ?? []).flatMap((init, i): Said[] => {
    const found = commandsIn(init).find((c) => destruction(c.words) !== undefined);
    if (found === undefined) return [];
    return [
      {
        subject: workload.subject,
        path: workload.pointer(`/spec/template/spec/initContainers/${i}`),
        message: `init container ${init.name} ${destruction(found.words)} at every start (${found.text.trim()})`,
      },
    ];
  });
}

/** `rm -r` of a mounted directory in the script that starts the broker. */
function inStart({ workload, container, index, start }: Broker): Said[] {
  if (start.kind !== 'shell') return [];
  const mounts = (container.volumeMounts ?? [])
    .filter((m) => m.readOnly !== true)
    .map((m) => withoutSlash(m.mountPath));
  const found = start.commands.find(({ words: [program, ...rest] }) => {
    const flags = rest.filter((w) => w.text.startsWith('-')).map((w) => w.text);
    if (program?.text !== 'rm' || !flags.some((f) => /r/i.test(f))) return false;
    return rest.some(
      ({ text }) =>
        !/lost\+found|\.lock$/.test(text) &&
        mounts.some((m) => `${text.replace(/\/?\*?$/, '')}/`.startsWith(`${m}/`)),
    );
  });
  if (found === undefined) return [];
  return [
    {
      subject: workload.subject,
      path: workload.pointer(pointerTo(index, `/${start.field}/${start.index}`)),
      message: `the start script deletes data at every start (${found.words.map((w) => w.text).join(' ')})`,
    },
  ];
}

export const destructiveStart: LintRule = {
  doc: coreDoc('destructive-init'),
  check: ({ workloads, brokers }) => [...workloads.flatMap(inInit), ...brokers.flatMap(inStart)],
};
