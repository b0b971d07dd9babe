import { pointerTo, type Draft, type Rule } from '../draft.ts';

/** Variables that Kafka's own scripts read, whoever starts them. */
const readByScripts =
  /^KAFKA_(OPTS|HEAP_OPTS|JMX_OPTS|JMX_PORT|LOG4J_OPTS|GC_LOG_OPTS|JVM_PERFORMANCE_OPTS|DEBUG|HOME|CLUSTER_ID|VERSION)$/;

/** Programs and builtins that read no variable but those that their words name. */
const plainPrograms =
  /^(fi|done|esac|export|exec|set|echo|printf|cd|mkdir|rm|cp|mv|ln|cat|tee|sed|grep|cut|tr|head|tail|chown|chmod|touch|ls|sleep|test|\[|\[\[|true|:|expr|hostname|date|nc|wait|exit|trap|local|read|(.*\/)?kafka-[a-z-]+(\.sh)?)$/;

/** True where a start script uses the variable, or may: by another script, a template, a reference by name. */
function mayBeRead({ start, container }: Draft, name: string): boolean {
  if (start.kind === 'program') return false;
  if (start.kind !== 'shell') return true;
  const text = container[start.field]?.[start.index] ?? '';
  if (text.includes('${!') || /\benv\b|\bprintenv\b/.test(text) || new RegExp(`\\b${name}\\b`).test(text))
    return true;
  return start.commands.some(({ words }) => {
    const texts = words.map((w) => w.text).filter((t) => t !== 'exec' && !/^[A-Za-z_]\w*=/.test(t));
    return texts[0] !== undefined && !plainPrograms.test(texts[0]);
  });
}

export const unreadVariables: Rule = {
  id: 'unread-variables',
  title: 'Variables that something reads',
  why: 'Images turn variables of one form into configuration, each its own; kafka-server-start with a file reads none. What nobody reads looks like configuration and is not.',
  remedy: 'Write it where this image reads it, or remove it.',
  severity: 'warning',
  since: 1,
  apply(draft) {
    const { configuration, container, containerIndex, pin } = draft;
    const isFile = configuration.delivery.kind === 'file';
    const names = (container.env ?? []).map((e) => e.name);
    const unread = names.filter((n) =>
      isFile
        ? /^KAFKA_[A-Z]/.test(n) && !readByScripts.test(n) && !mayBeRead(draft, n)
        : n.startsWith('KAFKA_CFG_') && pin.profile.dialect !== 'bitnami',
    );
    const [first] = unread;
    if (first === undefined) return;
    const more = unread.length === 1 ? ' has' : ` and ${unread.length - 1} more have`;
    draft.report({
      path: pointerTo(containerIndex, `/env/${names.indexOf(first)}`),
      message: isFile
        ? `${first}${more} no effect: the command starts Kafka with a file`
        : `${first}${more} no effect: that is how Bitnami's images name it, and this image does not read it`,
    });
  },
};
