import { keys } from '../../names.ts';
import type { Draft, Rule } from '../draft.ts';
import { versionOf } from '../image.ts';
import { escaped } from '../tree.ts';

const modes = ['audit', 'harden', 'strict'];

function say(draft: Draft, key: string, message: string): void {
  draft.report({ path: `/metadata/annotations/${escaped(key)}`, message });
}

export const annotations: Rule = {
  id: 'annotations',
  title: "kafka-warden's own annotations can be understood",
  why: 'A misspelt mode or version would quietly mean the default; a damaged layout or record of what stood there before cannot be followed.',
  remedy: 'Correct the annotation.',
  severity: 'warning',
  since: 1,
  apply(draft) {
    const own = draft.set.metadata?.annotations ?? {};
    const mode = own[keys.mode];
    if (mode !== undefined && !modes.includes(mode))
      say(draft, keys.mode, `the mode "${mode}" is none of ${modes.join(', ')}: ${draft.mode} is used`);
    if (mode === 'audit' && draft.mode !== 'audit')
      say(draft, keys.mode, 'a hardened set stays hardened: the mode audit is for sets that are not');
    const version = own[keys.kafkaVersion];
    if (version !== undefined && versionOf(version) === undefined)
      say(draft, keys.kafkaVersion, `"${version}" is no version such as 4.1: it is not used`);
    if (draft.recordLost)
      say(
        draft,
        keys.inverse,
        'the record of what stood here before hardening cannot be read: unharden can give back only what is written from now on',
      );
  },
};
