import { GrpcClient, type CallOptions } from "../plumbing/grpc-client";
import { decodeInfo, type TsdbInfo } from "./messages";

/** Client of the shard's leaf Querier. */
export class LeafClient extends GrpcClient {
  /** @param url Base URL, `http://leaf-shard-0:10901`. */
  constructor(url: string) {
    super(url, "the leaf");
  }

  /** What the leaf has behind it right now. */
  async info(options: CallOptions): Promise<readonly TsdbInfo[]> {
    let found: readonly TsdbInfo[] = [];
    for await (const message of this.call("/thanos.info.Info/Info", Buffer.alloc(0), options)) {
      found = decodeInfo(message);
    }
    return found;
  }
}
