import { CertificateError } from './errors.ts';

/** The alias as Java keeps it: in lower case. Throws `alias-invalid`. */
export function requireAlias(alias: string): string {
  if (!/^[\x21-\x7e]{1,128}$/.test(alias)) {
    throw new CertificateError('alias-invalid', `the alias is ${JSON.stringify(alias)}`);
  }
  return alias.toLowerCase();
}
