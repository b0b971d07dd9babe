import type { RuleDoc } from './model.ts';
import { newestOf, parsePin, pins, textOf } from './profiles/index.ts';
import { rules as list } from './rules/index.ts';

export { harden, isHardened } from './harden.ts';
export { unharden } from './unharden.ts';
export { hardenService, type ServiceOutcome } from './service.ts';
export { layoutOf } from './layout.ts';
export { launchers, type Launcher } from './launcher/launcher.ts';
export type * from './model.ts';

/** Every profile version that can be pinned, such as `apache-kafka/3`, oldest first within a family. */
export const profilePins: readonly string[] = pins.map(textOf);

/** The newest version of a pin's family; undefined for a pin that is not supported. */
export function newestPinFor(pin: string | undefined): string | undefined {
  const found = parsePin(pin);
  return found && textOf(newestOf(found.profile));
}

/** Every rule by id, for `explain` and for reports. */
export const rules: Readonly<Record<string, RuleDoc>> = Object.fromEntries(
  list.map(({ id, title, why, remedy, severity }) => [id, { id, title, why, remedy, severity }]),
);
