import { pointerTo, type Rule } from '../draft.ts';

/** Variables that Kafka's own scripts read, whoever starts them. */
const readByScripts =
  /^KAFKA_(OPTS|HEAP_OPTS|JMX_OPTS|JMX_PORT|LOG4J_OPTS|GC_LOG_OPTS|JVM_PERFORMANCE_OPTS|DEBUG|HOME|CLUSTER_ID|VERSION)$/;

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
        ? /^KAFKA_[A-Z]/.test(n) && !readByScripts.test(n)
        : n.startsWith('KAFKA_CFG_') && pin.profile.dialect !== 'bitnami',
    );
    const [first] = unread;
    // A script may use them by itself.
    if (first === undefined || (isFile && draft.start.kind !== 'program')) return;
    const more = unread.length === 1 ? ' has' : ` and ${unread.length - 1} more have`;
    draft.report({
      path: pointerTo(containerIndex, `/env/${names.indexOf(first)}`),
      message: isFile
        ? `${first}${more} no effect: the command starts Kafka with a file`
        : `${first}${more} no effect: that is how Bitnami's images name it, and this image does not read it`,
    });
  },
};
