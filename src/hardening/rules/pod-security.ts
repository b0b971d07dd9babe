import type { V1SecurityContext } from '@kubernetes/client-node';
import { podPath, pointerIn, type Draft, type Rule } from '../draft.ts';

/** Where the image's own is not known. */
const usualGroup = 1000;

export const podSecurity: Rule = {
  id: 'pod-security',
  title: 'The broker runs without privileges',
  why: 'Kafka needs no capability and no root. The group owns the volume (fsGroup), or a fresh disk cannot be written. Init containers keep what they have: many chown the volume.',
  remedy: "Remove privileged, runAsUser: 0 and added capabilities from the broker's container.",
  severity: 'warning',
  since: 1,
  apply(draft) {
    const { containerPath, container, pod } = draft;
    const at = (key: string) => [...containerPath, 'securityContext', key];
    const own = container.securityContext ?? {};
    const { user: uid, group = usualGroup } = draft.pin.profile;
    draft.complete([...podPath, 'securityContext', 'fsGroup'], group);
    draft.complete([...podPath, 'securityContext', 'fsGroupChangePolicy'], 'OnRootMismatch');
    const user = own.runAsUser ?? pod.securityContext?.runAsUser;
    if (own.privileged === true || user === 0) return tooMuch(draft, own);
    const isKnown = (user ?? uid) !== undefined;
    if (isKnown) writeUser(draft, user ?? uid);
    draft.complete(at('allowPrivilegeEscalation'), false);
    // Root over another's files would need a capability: only where the user is known none is.
    if (isKnown) draft.complete(at('capabilities'), { drop: ['ALL'] });
    if (pod.securityContext?.seccompProfile === undefined)
      draft.complete(at('seccompProfile'), { type: 'RuntimeDefault' });
  },
};

/** The user that the manifest or else the image names. */
function writeUser(draft: Draft, uid: number | undefined): void {
  const { containerPath, container, pod } = draft;
  const at = (key: string) => [...containerPath, 'securityContext', key];
  const given = container.securityContext?.runAsUser ?? pod.securityContext?.runAsUser;
  if (given === undefined && uid !== undefined) draft.put(at('runAsUser'), uid);
  if (pod.securityContext?.runAsNonRoot !== true) draft.complete(at('runAsNonRoot'), true);
}

/** A broker that runs as root or privileged may not work otherwise: it is said, and left. */
function tooMuch(draft: Draft, own: V1SecurityContext): void {
  const isOwn = own.privileged === true || own.runAsUser === 0;
  draft.report({
    path: pointerIn(draft, [...(isOwn ? draft.containerPath : podPath), 'securityContext']),
    message: own.privileged === true ? 'the broker runs privileged' : 'the broker runs as root',
    strict: 'refuse',
  });
}
