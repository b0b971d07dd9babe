/** Something about an upgrade: the field or fact that it lies in, what it is, and what to do. */
export interface UpgradeFinding {
  /** `problem`: Kafka would not start, or not go on as it was. `warning`: a person should know. */
  readonly severity: 'problem' | 'warning';
  /** A property, an annotation, `image`, or a fact of the running cluster such as `metadata.version`. */
  readonly field: string;
  readonly message: string;
  readonly remedy: string;
  /** JSON pointer below the container, where the manifest shows it. */
  readonly from?: string;
}

export const problem = (field: string, message: string, remedy: string, from?: string): UpgradeFinding => ({
  severity: 'problem',
  field,
  message,
  remedy,
  ...(from === undefined ? {} : { from }),
});

export const warning = (field: string, message: string, remedy: string, from?: string): UpgradeFinding => ({
  severity: 'warning',
  field,
  message,
  remedy,
  ...(from === undefined ? {} : { from }),
});
