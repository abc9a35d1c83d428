import * as pulumi from "@pulumi/pulumi";
import { PROJECT } from "../../model/names";

/** Base of all components: the type token, and the options of children. */
export abstract class Component extends pulumi.ComponentResource {
  protected constructor(type: string, name: string, options: pulumi.ComponentResourceOptions) {
    // No inputs are registered: they would repeat what the children hold, in state and in every diff.
    super(`${PROJECT}:index:${type}`, name, {}, options);
  }

  /** Options of a child of this component. */
  protected child(options: pulumi.CustomResourceOptions = {}): pulumi.CustomResourceOptions {
    return { ...options, parent: this };
  }
}
