import * as pulumi from "@pulumi/pulumi";
import { Alias } from "@pulumi/aws/kms/alias";
import { Key } from "@pulumi/aws/kms/key";
import { Component } from "../components/kit/component";
import type { Account } from "./aws-provider";
import { keyPolicy, policyText } from "./policy-documents";

/** Arguments of {@link EncryptionKey}. */
export interface EncryptionKeyArgs {
  /** What it encrypts, for people. */
  readonly description: string;
  /** Alias without `alias/`. */
  readonly alias: string;
  readonly account: Account;
  /** Services through which alone the key may be used; default: any use that IAM allows. */
  readonly viaServices?: readonly string[];
  /** Refuse to delete or replace the key. */
  readonly isProtected: boolean;
}

/** A KMS key that rotates every year, and that outlives the stack: what it encrypted can't be read without it. */
export class EncryptionKey extends Component {
  readonly arn: pulumi.Output<string>;

  constructor(name: string, args: EncryptionKeyArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("EncryptionKey", name, options);
    const { id, partition } = args.account;
    const key = new Key(
      name,
      {
        description: args.description,
        deletionWindowInDays: 30,
        enableKeyRotation: true,
        policy: pulumi
          .all([id, partition])
          .apply(([account, place]) => policyText(keyPolicy({ id: account, partition: place }, args.viaServices))),
      },
      this.child({ protect: args.isProtected, retainOnDelete: true }),
    );
    // The alias stays with the key that it names.
    new Alias(
      name,
      { name: `alias/${args.alias}`, targetKeyId: key.keyId },
      this.child({ protect: args.isProtected, retainOnDelete: true }),
    );
    this.arn = key.arn;
    this.registerOutputs();
  }
}
