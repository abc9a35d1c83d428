// Command pulumi-resource-kubernetes is the Kubernetes provider plugin. The provider's own main package embeds a
// schema file that its module does not hold, so this one serves the same provider with an empty schema: the engine
// needs the schema for code generation only.
package main

import (
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

func main() {
	provider.Serve("kubernetes", version.Version, []byte("{}"), []byte("{}"))
}
