/** The span in which a certificate is valid. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** When to replace a certificate: after two thirds of its life, which leaves a third for whatever goes wrong. */
export function renewAt({ notBefore, notAfter }: Validity): Date {
  const lifeMs = notAfter.getTime() - notBefore.getTime();
  return new Date(notBefore.getTime() + Math.floor((lifeMs * 2) / 3));
}
