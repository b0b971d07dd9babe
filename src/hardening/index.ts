import type { RuleDoc } from './model.ts';
import { rules as list } from './rules/index.ts';

export { harden, isHardened } from './harden.ts';
export { unharden } from './unharden.ts';
export { hardenService, type ServiceOutcome } from './service.ts';
export { layoutOf } from './layout.ts';
export { launchers, type Launcher } from './launcher/launcher.ts';
export {
  newest as newestProfileVersion,
  pinOf,
  versions as profileVersions,
} from './profiles/apache-kafka.ts';
export type * from './model.ts';

/** Every rule by id, for `explain` and for reports. */
export const rules: Readonly<Record<string, RuleDoc>> = Object.fromEntries(
  list.map(({ id, title, why, remedy, severity }) => [id, { id, title, why, remedy, severity }]),
);
