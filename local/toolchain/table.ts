/** One program that is built from public Go modules. */
export interface Tool {
  readonly name: string;
  /** Folder under local/go with the go.mod that pins it. */
  readonly group: string;
  /** Go package of its main, or "." when the group holds a main of its own. */
  readonly package: string;
  /** Module in that go.mod whose version names the tool's version; absent for a tool of our own. */
  readonly module?: string;
  readonly tags?: string;
  /** `-X` variables; `VERSION` is replaced by the module's version. */
  readonly variables?: readonly string[];
  /** Flags that a wrapper of the same name always passes first. */
  readonly alwaysWith?: readonly string[];
}

const kubernetesVersion = [
  "k8s.io/component-base/version.gitVersion=VERSION",
  "k8s.io/component-base/version.gitMajor=1",
  "k8s.io/component-base/version.gitMinor=35",
  "k8s.io/client-go/pkg/version.gitVersion=VERSION",
];

function kubernetes(name: string): Tool {
  return {
    name,
    group: "kubernetes",
    package: `k8s.io/kubernetes/cmd/${name}`,
    module: "k8s.io/kubernetes",
    variables: kubernetesVersion,
  };
}

const prometheusModule = "github.com/prometheus/prometheus";
// Prometheus' own tags: Kubernetes and DNS discovery stay, the clouds' SDKs go (74 MB instead of 99, half the build).
const prometheusTags = "remove_all_sd,enable_kubernetes_sd,enable_dns_sd";

/** What talks to any cluster. */
export const clientTools: readonly Tool[] = [
  {
    name: "pulumi",
    group: "pulumi",
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    module: "github.com/pulumi/pulumi/pkg/v3",
    variables: ["github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=VERSION"],
  },
  {
    name: "pulumi-language-nodejs",
    group: "pulumi-language-nodejs",
    package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    module: "github.com/pulumi/pulumi/sdk/v3",
    // This host is older than the CLI and takes the runtime option `typescript: false` of Pulumi.yaml as a flag only.
    alwaysWith: ["-typescript=false"],
    variables: ["github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=VERSION"],
  },
  {
    name: "pulumi-resource-kubernetes",
    group: "pulumi-kubernetes",
    package: ".",
    module: "github.com/pulumi/pulumi-kubernetes/sdk/v4",
    variables: ["github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version=VERSION"],
  },
  kubernetes("kubectl"),
];

/** What the local node itself is made of. */
export const nodeTools: readonly Tool[] = [
  { name: "pause", group: "pause", package: "." },
  { name: "etcd", group: "etcd", package: "go.etcd.io/etcd/server/v3", module: "go.etcd.io/etcd/server/v3" },
  kubernetes("kube-apiserver"),
  kubernetes("kube-controller-manager"),
  kubernetes("kube-scheduler"),
  kubernetes("kubelet"),
  kubernetes("kube-proxy"),
  { name: "coredns", group: "coredns", package: "github.com/coredns/coredns", module: "github.com/coredns/coredns" },
];

/** What runs in the pipeline's pods; the key is the image's key in model/images.ts. */
export const workloadTools = {
  hub: {
    name: "prometheus-edge-hub",
    group: "edge-hub",
    package: "github.com/facebookincubator/prometheus-edge-hub",
    module: "github.com/facebookincubator/prometheus-edge-hub",
  },
  prometheus: {
    name: "prometheus",
    group: "prometheus",
    package: "github.com/prometheus/prometheus/cmd/prometheus",
    module: prometheusModule,
    tags: prometheusTags,
    variables: ["github.com/prometheus/common/version.Version=VERSION"],
  },
  alertmanager: {
    name: "alertmanager",
    group: "alertmanager",
    package: "github.com/prometheus/alertmanager/cmd/alertmanager",
    module: "github.com/prometheus/alertmanager",
    variables: ["github.com/prometheus/common/version.Version=VERSION"],
  },
  thanos: {
    name: "thanos",
    group: "thanos",
    package: "github.com/thanos-io/thanos/cmd/thanos",
    module: "github.com/thanos-io/thanos",
    // Upstream builds with it too; without it the label layout in memory is wrong and the Querier panics.
    tags: "slicelabels",
    variables: ["github.com/prometheus/common/version.Version=VERSION"],
  },
} as const satisfies Record<string, Tool>;

/** An S3 server for tests: objects are files in a folder. Never part of the pipeline. */
export const s3Tool: Tool = {
  name: "versitygw",
  group: "s3",
  package: "github.com/versity/versitygw/cmd/versitygw",
  module: "github.com/versity/versitygw",
  variables: ["main.Version=VERSION"],
};

/** What checks configuration files. */
export const checkerTools: readonly Tool[] = [
  {
    name: "promtool",
    group: "prometheus",
    package: "github.com/prometheus/prometheus/cmd/promtool",
    module: prometheusModule,
    tags: prometheusTags,
    variables: ["github.com/prometheus/common/version.Version=VERSION"],
  },
  {
    name: "kubeconform",
    group: "kubeconform",
    package: "github.com/yannh/kubeconform/cmd/kubeconform",
    module: "github.com/yannh/kubeconform",
    variables: ["main.version=VERSION"],
  },
  {
    name: "kube-score",
    group: "kube-score",
    package: "github.com/zegl/kube-score/cmd/kube-score",
    module: "github.com/zegl/kube-score",
    variables: ["main.version=VERSION"],
  },
  {
    name: "amtool",
    group: "alertmanager",
    package: "github.com/prometheus/alertmanager/cmd/amtool",
    module: "github.com/prometheus/alertmanager",
    variables: ["github.com/prometheus/common/version.Version=VERSION"],
  },
];
