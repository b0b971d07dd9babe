import type { RuleDoc } from '../hardening/model.ts';

/** What `lint`, `explain` and admission say of settings and of images on the way to Kafka 4. */
export const upgradeRule: RuleDoc = {
  id: 'kafka-upgrade',
  title: 'Settings that Kafka 4 takes as they are meant',
  why: 'Kafka 4 has no ZooKeeper mode, reads a quarter of the settings around it no longer, and does not start with some values and classes of 3.x. A setting that nothing reads is no error to Kafka: it starts, and a limit that somebody relied on is gone.',
  remedy: 'Remove what is not read, or write what takes its place: docs/upgrades.md lists both.',
  severity: 'warning',
};
