import { kraft, pointerTo, type Rule } from '../draft.ts';
import { literal } from '../configuration.ts';
import { superUsers } from '../principals.ts';

const standard = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer';

export const authorizer: Rule = {
  id: 'authorizer',
  title: 'Authorisation on, and closed by default',
  why: 'Without an authorizer every client may do everything. The nodes and the warden are super users on brokers and controllers: before the quorum stands no ACL can let them in (StandardAuthorizerData).',
  remedy: 'Give each client the ACLs it needs in its KafkaUser.',
  severity: 'warning',
  since: 1,
  apply(draft) {
    const open = draft.configuration.property('allow.everyone.if.no.acl.found');
    if (literal(open) === 'true' && 'from' in open)
      draft.unsafe({
        path: pointerTo(draft.containerIndex, open.from),
        message:
          'allow.everyone.if.no.acl.found lets every authenticated client use any topic that has no ACL',
      });
    draft.setting('authorizer.class.name', '=', standard, kraft);
    draft.setting('authorizer.class.name', '=', 'kafka.security.authorizer.AclAuthorizer', ['zookeeper']);
    for (const user of superUsers) draft.setting('super.users', '+=', user);
    draft.setting('allow.everyone.if.no.acl.found', '=', 'false');
  },
};
