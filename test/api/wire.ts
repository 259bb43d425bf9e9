/** A conversation on a bare socket, whose answers are held against the document and recorded. */
import { connected, Wire as KitWire, type WireResponse } from "../../src/conformance/gateway/ground/wire";
import { checkResponse } from "./client";

export { requestLine } from "../../src/conformance/gateway/ground/wire";
export type { WireResponse };

export class Wire extends KitWire {
  static async open(port: number): Promise<Wire> {
    const url = `http://127.0.0.1:${port}`;
    return new Wire(await connected(url), url);
  }

  /**
   * The next response; null when the connection was closed instead.
   *
   * @param request method and target that it answers; empty when there was no request
   */
  override async response(method = "", path = ""): Promise<WireResponse | null> {
    const found = await this.next(method, path);
    if (found && found.status !== 100) checkResponse({ ...found, method, path });
    return found;
  }
}
