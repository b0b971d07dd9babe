# The life of one node, inside its network, mount and host name namespaces. Its settings arrive in the environment.
hostname "$NODE_NAME"
mount --make-rshared /
mount -t tmpfs run /run
mkdir -p /run/containerd /run/netns /run/lock
for bound in kubelet:/var/lib/kubelet containerd:/var/lib/containerd cni:/var/lib/cni \
  pod-logs:/var/log/pods container-logs:/var/log/containers; do
  mkdir -p "${bound#*:}"
  mount --bind "$NODE_FOLDER/${bound%%:*}" "${bound#*:}"
  mount --make-rshared "${bound#*:}"
done
mkdir -p /etc/cni/net.d
mount -t tmpfs cni /etc/cni/net.d
cp "$NODE_FOLDER/cni.conflist" /etc/cni/net.d/10-pods.conflist

containerd --config "$NODE_FOLDER/containerd.toml" --address /run/containerd/containerd.sock \
  --root /var/lib/containerd --state /run/containerd >> "$LOG_FOLDER/$NODE_NAME-containerd.log" 2>&1 &
until ctr version > /dev/null 2>&1; do sleep 0.1; done
for archive in $WARDEN_ARCHIVES; do
  ctr -n k8s.io images import --base-name "$WARDEN_REPOSITORY" "$archive" > /dev/null
done

until [[ -e $READY_FILE ]]; do sleep 0.1; done
"$HYPERKUBE" kube-proxy --kubeconfig="$PROXY_KUBECONFIG" --cluster-cidr="$POD_SUBNETS" --hostname-override="$NODE_NAME" \
  --proxy-mode=iptables --conntrack-max-per-core=0 --conntrack-tcp-timeout-established=0 \
  --conntrack-tcp-timeout-close-wait=0 >> "$LOG_FOLDER/$NODE_NAME-proxy.log" 2>&1 &
exec "$HYPERKUBE" kubelet --config="$NODE_FOLDER/kubelet.json" --kubeconfig="$NODE_FOLDER/kubelet.kubeconfig" \
  --hostname-override="$NODE_NAME" --node-ip="$NODE_ADDRESS" --root-dir=/var/lib/kubelet \
  --node-labels="topology.kubernetes.io/zone=$NODE_ZONE" --v=2
