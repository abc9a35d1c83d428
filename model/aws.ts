/** Host of the S3 API of a region (https://docs.aws.amazon.com/general/latest/gr/s3.html). */
export function s3Endpoint(region: string): string {
  return `s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
}

/**
 * Where a node's EKS Pod Identity Agent listens for its pods, in IPv4 and IPv6 clusters
 * (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html).
 */
export const POD_IDENTITY_AGENT = { cidrs: ["169.254.170.23/32", "fd00:ec2::23/128"], port: 80 } as const;
