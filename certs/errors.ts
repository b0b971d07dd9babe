/** Every way in which this folder refuses its input: the stable code, and what the person can do about it. */
const remedies = {
  'address-invalid': 'Give IPv4 or IPv6 addresses without port, prefix or zone.',
  'alias-invalid':
    'Give each entry an alias of 1 to 128 printable characters; aliases ignore case, as in Java.',
  'authority-expired': 'Create a new authority, let everything trust both, and issue from the new one.',
  'authority-not-yet-valid': 'Check the clock of this machine against the one that created the authority.',
  'certificate-unreadable':
    'Give an X.509 certificate in PEM, from -----BEGIN CERTIFICATE----- to its end line.',
  'chain-broken': 'Order the chain from the leaf to its authority, each certificate issued by the next.',
  'key-mismatch': 'Give the private key that was made together with this certificate, or issue both anew.',
  'key-unreadable': 'Give an unencrypted private key in PEM (PKCS#8).',
  'key-unsupported': 'Use an authority whose key is EC P-256.',
  'lifetime-invalid': 'Give a valid date and a lifetime of at least one second, in milliseconds.',
  'name-invalid':
    'Give DNS names of letters, digits and hyphens, at most 63 characters a label and 253 in all.',
  'not-an-authority': 'Give a certificate whose basic constraints say CA:TRUE.',
  'password-unusable': 'Use 6 or more printable ASCII characters; keytool and the JVM refuse anything else.',
  'serial-invalid': 'Give 1 to 20 bytes in hexadecimal, the first from 01 to 7f.',
  'subject-invalid': 'Give each part of the name 1 to 64 characters (RFC 5280), without control characters.',
  'truststore-empty': 'Give at least one authority: the JVM refuses a truststore without entries.',
  'usages-missing': "Name what the certificate is for: 'server', 'client' or both.",
} as const;

export type CertificateErrorCode = keyof typeof remedies;

/** Input that cannot become a sound certificate or store. `code` is stable and may be matched on. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly code: CertificateErrorCode;
  readonly remedy: string;

  /** `problem`: what is wrong and where, without a full stop, and never with a secret in it. */
  constructor(code: CertificateErrorCode, problem: string, options?: ErrorOptions) {
    super(`${problem}. ${remedies[code]}`, options);
    this.code = code;
    this.remedy = remedies[code];
  }
}
