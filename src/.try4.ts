import { readFileSync } from 'node:fs';
import { parseAllDocuments, stringify } from 'yaml';
import { harden } from './hardening/index.ts';
const full = process.argv.includes('-v');
for (const f of process.argv.slice(2).filter((a) => a !== '-v')) {
  for (const d of parseAllDocuments(readFileSync(f,'utf8'))) {
    const o = d.toJS() as any;
    if (o?.kind !== 'StatefulSet') continue;
    const r = harden(o, { namespace: 'demo' });
    console.log(`== ${f.split('/').pop()} ${o.metadata.name}: ${r.decision}`, r.decision==='hardened' ? r.workload.metadata!.annotations!['kafka-warden.io/layout']!.replace('"schema":1,','') : '');
    for (const x of r.findings) if (x.severity !== 'info' || full) console.log('  ', x.severity, x.rule, x.path, '\n       ', x.message, '\n       ->', x.remedy);
    if (full) { const p = r.workload.spec!.template.spec!; for (const c of p.containers) console.log(stringify({command:c.command,args:c.args,env:c.env?.filter(e=>e.name.startsWith('WARDEN')||e.name==='CLUSTER_ID'),probe:c.readinessProbe,sc:c.securityContext})); }
  }
}
