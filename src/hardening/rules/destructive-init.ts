import type { Container } from '../model.ts';
import { type Draft, type Rule } from '../draft.ts';
import { liesIn } from '../mounts.ts';
import { commandsOf } from '../shell.ts';

/** Paths that an init container removes with everything in them. */
function removedBy({ command = [], args = [] }: Container): string[] {
  const words = [...command, ...args];
  const scripts = words.some((w) => /^-[a-z]*c$/.test(w)) ? words : [words.join(' ')];
  return scripts.flatMap(commandsOf).flatMap(({ words: [program, ...rest] }) => {
    if (program?.text.split('/').at(-1) !== 'rm') return [];
    const texts = rest.map((w) => w.text);
    const deep = texts.some((t) => /^-[a-zA-Z]*[rR]/.test(t) || t === '--recursive' || t.includes('*'));
    return deep ? texts.filter((t) => !t.startsWith('-')) : [];
  });
}

/** `/data` for `/data/*`. */
function withoutStars(path: string): string {
  let end = path.length;
  while (path.charAt(end - 1) === '*') end--;
  return end < path.length && path.charAt(end - 1) === '/' ? path.slice(0, end - 1) : path.slice(0, end);
}

/** True where the path may be data: on a lasting volume, or not to be told from here. */
function isData(draft: Pick<Draft, 'pod'>, { volumeMounts = [] }: Container, path: string): boolean {
  if (/lost\+found\/?$/.test(path)) return false;
  if (path.includes('$') || !path.startsWith('/')) return true;
  const bare = withoutStars(path) || '/';
  const mount = volumeMounts
    .filter((m) => liesIn(bare, m.mountPath) || `${m.mountPath}/`.startsWith(`${bare === '/' ? '' : bare}/`))
    .sort((a, b) => b.mountPath.length - a.mountPath.length)[0];
  if (mount === undefined) return false;
  const volume = draft.pod.volumes?.find((v) => v.name === mount.name);
  return volume === undefined || volume.persistentVolumeClaim !== undefined || volume.hostPath !== undefined;
}

export const destructiveInit: Rule = {
  id: 'destructive-init',
  title: 'Init containers keep the data',
  why: 'An init container that empties the data directory makes every restart a lost disk.',
  remedy: 'Remove the deletion.',
  severity: 'error',
  since: 1,
  apply(draft) {
    for (const [i, init] of (draft.pod.initContainers ?? []).entries()) {
      const target = removedBy(init).find((path) => isData(draft, init, path));
      if (target === undefined) continue;
      draft.report({
        path: `/spec/template/spec/initContainers/${i}`,
        message: `init container ${init.name} deletes files at every start (rm ${target})`,
        strict: 'refuse',
      });
    }
  },
};
