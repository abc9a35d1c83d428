/**
 * The echo provider: a test part that stands in for Pulumi's providers of AWS, random and Kubernetes, so that the real
 * engine can preview and deploy stacks for a cloud that is not there. It says back what it was told, makes up what a
 * cloud would compute, and replaces what the real provider replaces.
 */
import { main } from "@pulumi/pulumi/provider";
import { awsPackage } from "./aws";
import { kubernetesPackage } from "./kubernetes";
import { EchoProvider, type EchoPackage } from "./provider";
import { randomPackage } from "./random";

const PACKAGES: Readonly<Record<string, EchoPackage>> = {
  aws: awsPackage,
  kubernetes: kubernetesPackage,
  random: randomPackage,
};

const [name = "", ...args] = process.argv.slice(2);
const chosen = PACKAGES[name];
if (chosen === undefined)
  throw new Error(`no echo of a provider "${name}": one of ${Object.keys(PACKAGES).join(", ")}`);
void main(new EchoProvider(chosen), args);
