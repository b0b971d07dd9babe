import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Request {
  readonly subject: string;
  readonly multiple?: boolean;
  readonly mask?: string;
  /** Java before this reads such strings as UTF-8 and prints garbage. */
  readonly sinceJava?: number;
}

/** Subjects as other issuers write them: attribute types, string types and shapes that this folder never makes. */
const requests: readonly Request[] = [
  { subject: '/C=DE/ST=Berlin/L=Mitte/street=Main 1/O=Acme, Inc./CN=db.example.com' },
  { subject: '/DC=com/DC=example/UID=alice/CN=Alice' },
  { subject: '/CN=mail/emailAddress=a@example.com/serialNumber=42' },
  { subject: '/O=Acme/OU=a+UID=b/CN=multi', multiple: true },
  { subject: '/O=Straße/CN=Zoë', mask: 'MASK:0x0800', sinceJava: 25 }, // BMPString
  { subject: '/O=Straße/CN=Zoë', mask: 'MASK:0x0004', sinceJava: 25 }, // T61String
  { subject: '/O=Acme/CN=plain', mask: 'MASK:0x0002' }, // PrintableString
];

/** Self-signed certificates made by OpenSSL in `directory`, as PEM texts: those whose names this Java can print. */
export function foreignCertificates(directory: string, javaVersion: number): string[] {
  const config = join(directory, 'openssl.cnf');
  const printable = requests.filter(({ sinceJava = 0 }) => javaVersion >= sinceJava);
  return printable.map(({ subject, multiple, mask = 'utf8only' }, index) => {
    writeFileSync(config, `[req]\ndistinguished_name=dn\nprompt=no\nstring_mask=${mask}\n[dn]\n`);
    const out = join(directory, `foreign-${index}.pem`);
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null'];
    const name = ['-subj', subject, '-utf8', ...(multiple ? ['-multivalue-rdn'] : [])];
    execFileSync('openssl', ['req', '-x509', '-config', config, ...key, ...name, '-out', out], {
      stdio: 'pipe',
    });
    return readFileSync(out, 'utf8');
  });
}
