/** FreeSWITCH by its event socket. */
import type { Log } from "../../log";
import type { MediaFiles } from "../../media/files";
import { type Engine, type EngineCommands, type EngineRoomCommands, Refused, type Sink } from "../engine";

export interface FreeswitchOptions {
  readonly node: string;
  /** Of its event socket. */
  readonly host: string;
  readonly port: number;
  readonly password: string;
  /** How long the media server may take to take a command. */
  readonly commandTimeoutMs: number;
  /** Of one recording. */
  readonly recordingMaxMs: number;
  readonly media: MediaFiles;
  readonly log: Log;
}

export class FreeswitchEngine implements Engine {
  readonly kind = "freeswitch";
  readonly node: string;
  declare readonly commands: EngineCommands;
  declare readonly roomCommands: EngineRoomCommands;

  constructor(options: FreeswitchOptions) {
    this.node = options.node;
  }

  async start(_sink: Sink): Promise<void> {
    throw new Refused("unsupported");
  }

  connected(): boolean {
    return false;
  }

  reads(_own: boolean): void {}

  cancel(_id: string, _operation_id: string): void {}

  openRoom(_room_id: string): Promise<void> {
    throw new Refused("unsupported");
  }

  async closeRoom(_room_id: string): Promise<void> {}

  end(_session_uuid: string, _cause: string): void {}

  drain(): void {}

  async close(): Promise<void> {}
}
