import { keys } from '../../names.ts';
import type { Rule } from '../draft.ts';

export const rack: Rule = {
  id: 'rack',
  title: 'broker.rack from the zone',
  why: "Replicas are spread over racks only where brokers know theirs. From Kubernetes 1.35 the API server copies the node's zone to a pod label; before, an annotation is written when the pod is bound. The launcher takes the one that is not empty, or none.",
  remedy: 'Nothing to do; a rack annotation on the pod template wins over the zone.',
  severity: 'info',
  since: 2,
  apply(draft) {
    const env = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
    draft.append(
      [...draft.containerPath, 'env'],
      [
        env('WARDEN_ZONE', `metadata.labels['topology.kubernetes.io/zone']`),
        env('WARDEN_RACK', `metadata.annotations['${keys.rack}']`),
      ],
    );
  },
};
