import type { Container } from '../../hardening/model.ts';
import { commandsOf } from '../../hardening/shell.ts';
import type { LintRule, Said, Scene } from '../scene.ts';
import type { Workload } from '../workload.ts';

const shells = new Set(['sh', 'bash', 'ash', 'dash']);
const baseName = (text: string) => text.slice(text.lastIndexOf('/') + 1);

/** The grace period that admission gives to a hardened set, and Kubernetes to any other. */
const hardenedGraceSeconds = 360;
const usualGraceSeconds = 30;

const secondsBy: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Longer than any grace period that somebody waits for with pleasure. */
function isLongSleep(duration: string): boolean {
  if (/^inf(inity)?$/i.test(duration)) return true;
  const [, amount, unit = 's'] = /^(\d{1,12})([smhd]?)$/.exec(duration) ?? [];
  return amount !== undefined && Number(amount) * (secondsBy[unit || 's'] ?? 1) >= hardenedGraceSeconds;
}

/** A program that goes on until it is killed, and has no handler for SIGTERM. */
function endless(words: readonly string[]): string | undefined {
  const [program = '', ...rest] = words[0] === 'exec' ? words.slice(1) : words;
  const name = baseName(program);
  if (name === 'sleep') return rest.some(isLongSleep) ? 'sleep' : undefined;
  const follows = rest.some((w) => /^-[a-zA-Z]*[fF]|^--follow/.test(w));
  return name === 'tail' && follows ? 'tail' : undefined;
}

/** What a script comes to rest in: its last command, or a loop without an end, where nothing waits for the signal. */
function restsIn(script: string): string | undefined {
  const commands = commandsOf(script).map((c) => c.words.map((w) => w.text));
  if (commands.some(([name]) => name === 'trap')) return undefined;
  const last = commands.findLast(([name]) => name !== 'wait') ?? [];
  const program = endless(last);
  if (program !== undefined) return last[0] === 'exec' ? program : `a shell that waits for ${program}`;
  const isLoop = last[0] === 'done' && /\b(while\s+(true|:|\[\s+1\s+\])|until\s+false)\s*(;|\n)/.test(script);
  const ends = commands.some(([name]) => name === 'exit' || name === 'break' || name === 'exec');
  return isLoop && !ends ? 'a shell in an endless loop' : undefined;
}

/** Why the first process of a container goes on after SIGTERM, as far as its manifest tells; undefined where it may end. */
function deafness({ command = [], args = [], lifecycle }: Container): string | undefined {
  if (command.length === 0 || lifecycle?.preStop !== undefined || lifecycle?.stopSignal !== undefined)
    return undefined;
  const [first = '', ...rest] = [...command, ...args];
  if (!shells.has(baseName(first))) return endless([first, ...rest]);
  const flag = rest.findIndex((w) => /^-[a-z]*c[a-z]*$/.test(w));
  const script = flag < 0 ? undefined : rest[flag + 1];
  return script === undefined ? undefined : restsIn(script);
}

/** Containers that run beside a broker, and where they stand. */
function beside(workload: Workload, brokers: ReadonlySet<Container>): [Container, string][] {
  const { containers, initContainers = [] } = workload.pod;
  return [
    ...containers.map((c, i): [Container, string] => [c, `/spec/template/spec/containers/${i}`]),
    ...initContainers.flatMap((c, i): [Container, string][] =>
      c.restartPolicy === 'Always' ? [[c, `/spec/template/spec/initContainers/${i}`]] : [],
    ),
  ].filter(([c]) => !brokers.has(c));
}

function graceOf(scene: Scene, { subject, pod }: Workload): number {
  const own = pod.terminationGracePeriodSeconds ?? usualGraceSeconds;
  return scene.layoutOf(subject) === undefined ? own : Math.max(own, hardenedGraceSeconds);
}

function check(scene: Scene): Said[] {
  const brokers = new Set(scene.brokers.map((b) => b.container));
  const running = new Set(scene.brokers.map((b) => b.workload));
  return [...running].flatMap((workload): Said[] => {
    // There the process is no process 1, and a signal without a handler ends it.
    if (workload.pod.shareProcessNamespace === true || workload.pod.hostPID === true) return [];
    const seconds = graceOf(scene, workload);
    return beside(workload, brokers).flatMap(([container, path]) => {
      const deaf = deafness(container);
      if (deaf === undefined) return [];
      return [
        {
          subject: workload.subject,
          path: workload.pointer(`${path}/command`),
          message: `the first process of container ${container.name} is ${deaf}, which goes on after SIGTERM: the pod cannot end before it is killed, ${seconds} s after each stop began`,
        },
      ];
    });
  });
}

export const heldStop: LintRule = {
  doc: {
    id: 'held-stop',
    title: 'What runs beside a broker ends on SIGTERM',
    why: 'The kernel gives the first process of a container only signals that it has a handler for, and sleep, tail and a shell without trap have none for SIGTERM. A pod ends with its last container: after the broker is gone, such a neighbour, a native sidecar too, holds the pod for all of the grace period, which is long so that Kafka can move its leaders away. Every restart, drain and rolling update then takes that much longer for each broker.',
    remedy:
      'Let it end: sh -c \'trap "exit 0" TERM; sleep infinity & wait\', or start it by tini, or set shareProcessNamespace: true.',
    severity: 'warning',
  },
  check,
};
