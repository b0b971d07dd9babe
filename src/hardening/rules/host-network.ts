import { pointerTo, type Rule } from '../draft.ts';
import type { Observed } from './observed.ts';

export const hostNetwork: Rule = {
  id: 'host-network',
  title: "Brokers stay off the node's network",
  why: "With hostNetwork every listener, the controllers' and JMX included, is open on the node's own address, past NetworkPolicies, and the node's DNS is used, which knows no Service, unless dnsPolicy is ClusterFirstWithHostNet. A hostPort opens one port in the same way.",
  remedy: 'Use the pod network, and a Service for clients outside.',
  severity: 'warning',
  since: 1,
  apply({ pod, container, containerIndex, report }: Observed) {
    if (pod.hostNetwork === true) {
      report({
        path: '/spec/template/spec/hostNetwork',
        message: "hostNetwork opens every port of the broker on the node's own address",
      });
      if (pod.dnsPolicy === undefined || pod.dnsPolicy === 'ClusterFirst')
        report({
          path: '/spec/template/spec/hostNetwork',
          message:
            "hostNetwork without dnsPolicy: ClusterFirstWithHostNet: the node's DNS is asked, and pod and Service names are not found",
          remedy: 'Set dnsPolicy: ClusterFirstWithHostNet, or remove hostNetwork.',
          severity: 'error',
        });
      return;
    }
    for (const [i, port] of (container.ports ?? []).entries())
      if (port.hostPort !== undefined && port.hostPort !== 0)
        report({
          path: pointerTo(containerIndex, `/ports/${i}/hostPort`),
          message: `hostPort ${port.hostPort} opens the port on the node's own address`,
        });
  },
};
